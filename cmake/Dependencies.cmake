# Every dependency is a Debian package; scripts/setup.sh installs them by name.
# Some packages give CMake only variables or nothing at all: they are wrapped in imported targets here, so that
# the rest of the tree names targets and nothing else.
set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(absl CONFIG REQUIRED)
find_package(ZLIB REQUIRED)
find_package(OpenSSL REQUIRED COMPONENTS Crypto)
find_package(SQLite3 REQUIRED)
find_package(ICU REQUIRED COMPONENTS uc i18n)
find_package(nlohmann_json REQUIRED)
find_package(LibXml2 REQUIRED)
find_package(CURL REQUIRED)
find_package(LibArchive REQUIRED)
find_package(CLI11 REQUIRED)

# FindProtobuf (the module) exists for every version in question; Debian ships no CMake config for 3.21.
find_package(Protobuf REQUIRED MODULE)

pkg_check_modules(GMIME REQUIRED IMPORTED_TARGET gmime-3.0)
pkg_check_modules(GUMBO REQUIRED IMPORTED_TARGET gumbo)
pkg_check_modules(ZSTD REQUIRED IMPORTED_TARGET libzstd)

find_package(Xapian CONFIG QUIET)
if(NOT TARGET Xapian::Xapian)
  pkg_check_modules(XAPIAN_PC REQUIRED IMPORTED_TARGET xapian-core)
  add_library(Xapian::Xapian INTERFACE IMPORTED)
  target_link_libraries(Xapian::Xapian INTERFACE PkgConfig::XAPIAN_PC)
endif()

find_path(LIBCSV_INCLUDE_DIR csv.h REQUIRED)
find_library(LIBCSV_LIBRARY csv REQUIRED)
add_library(Libcsv::Libcsv INTERFACE IMPORTED)
target_include_directories(Libcsv::Libcsv INTERFACE "${LIBCSV_INCLUDE_DIR}")
target_link_libraries(Libcsv::Libcsv INTERFACE "${LIBCSV_LIBRARY}")

find_path(CLD2_INCLUDE_DIR cld2/public/compact_lang_det.h REQUIRED)
find_library(CLD2_LIBRARY cld2 REQUIRED)
add_library(Cld2::Cld2 INTERFACE IMPORTED)
target_include_directories(Cld2::Cld2 INTERFACE "${CLD2_INCLUDE_DIR}")
target_link_libraries(Cld2::Cld2 INTERFACE "${CLD2_LIBRARY}")

find_path(LIBLINEAR_INCLUDE_DIR linear.h REQUIRED PATH_SUFFIXES liblinear)
find_library(LIBLINEAR_LIBRARY linear REQUIRED)
add_library(Liblinear::Liblinear INTERFACE IMPORTED)
target_include_directories(Liblinear::Liblinear INTERFACE "${LIBLINEAR_INCLUDE_DIR}")
target_link_libraries(Liblinear::Liblinear INTERFACE "${LIBLINEAR_LIBRARY}")

if(NOT DATELINE_CORE_ONLY)
  find_package(gRPC CONFIG REQUIRED)
  find_package(Boost 1.74 REQUIRED)
endif()
if(DATELINE_BUILD_TESTS)
  find_package(GTest REQUIRED)
  include(GoogleTest)
endif()
