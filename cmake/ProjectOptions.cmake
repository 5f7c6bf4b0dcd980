# What every target of ours is compiled with, and the functions that declare one.
#
#   dateline_library(NAME SOURCES a.cc HEADERS a.h DEPS common_base PRIVATE_DEPS Xapian::Xapian)
#   dateline_binary(NAME SOURCES main.cc DEPS ...)
#   dateline_test(NAME SOURCES a_test.cc DEPS ... LABEL unit|integration|e2e|quality)
#
# Tests run in the root of the tree and name its files from there, so that what is compiled is the same in every checkout
# and a compiler cache can serve them all.
#
# Headers are found by their path from the root of the tree: #include "common/status_macros.h".

add_library(project_options INTERFACE)
target_compile_features(project_options INTERFACE cxx_std_20)
target_compile_options(project_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wconversion -Wno-sign-conversion -Werror
  # The same text must get the same score on every machine: no fused multiply-add chosen by the compiler.
  -ffp-contract=off)
target_include_directories(project_options INTERFACE "${PROJECT_SOURCE_DIR}")
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # GCC 12 warns of overlapping copies inside std::string where there are none (GCC bug 105651).
  target_compile_options(project_options INTERFACE -Wno-restrict)
endif()
if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  target_compile_options(project_options INTERFACE -Wthread-safety)
endif()
if(DATELINE_SANITIZE)
  # Everything, generated code included, must agree on the sanitizer.
  add_compile_options(-fsanitize=${DATELINE_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${DATELINE_SANITIZE})
  # Debian's Abseil is built without sanitizers; under them its newer headers would lay out hash tables in another way. What
  # those headers mark as unused the library doesn't unmark: the test preset turns such marks off (ASAN_OPTIONS).
  add_compile_definitions(NDEBUG_SANITIZER)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_GREATER_EQUAL 13)
    # Newer Abseil marks memory as unused before it is written to, which GCC takes for a read of it.
    target_compile_options(project_options INTERFACE -Wno-maybe-uninitialized)
    # With these three checks GCC takes the address of a function for no constant (GCC bug 71962), and newer Abseil compares
    # such addresses in constants.
    add_compile_options(-fno-sanitize=null,nonnull-attribute,returns-nonnull-attribute)
  endif()
endif()
if(DATELINE_FUZZ)
  if(NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    message(FATAL_ERROR "DATELINE_FUZZ needs clang, whose libFuzzer drives the fuzzers: cmake --preset fuzz")
  endif()
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
if(DATELINE_COVERAGE)
  add_compile_options(--coverage -fprofile-update=atomic)
  add_link_options(--coverage)
endif()
# Debian's linker is slow on gRPC's static symbols; lld is used where it is installed.
find_program(DATELINE_LLD ld.lld)
if(DATELINE_LLD)
  add_link_options(-fuse-ld=lld)
endif()

function(dateline_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;HEADERS;DEPS;PRIVATE_DEPS" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_sources(${name} PUBLIC FILE_SET HEADERS BASE_DIRS "${PROJECT_SOURCE_DIR}" FILES ${ARG_HEADERS})
  target_link_libraries(${name} PUBLIC ${ARG_DEPS} PRIVATE project_options ${ARG_PRIVATE_DEPS})
endfunction()

function(dateline_binary name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE project_options ${ARG_DEPS})
endfunction()

function(dateline_test name)
  cmake_parse_arguments(ARG "" "LABEL" "SOURCES;DEPS" ${ARGN})
  if(NOT DATELINE_BUILD_TESTS)
    return()
  endif()
  if(NOT ARG_LABEL)
    set(ARG_LABEL unit)
  endif()
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE project_options ${ARG_DEPS} GTest::gmock GTest::gtest_main)
  if(DATELINE_SANITIZE)
    # One process for all tests of a program: what they share is loaded once, which takes long enough under a sanitizer.
    add_test(NAME ${name} COMMAND ${name} WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}")
    set_tests_properties(${name} PROPERTIES LABELS "${ARG_LABEL}" TIMEOUT 1200)
  else()
    gtest_discover_tests(${name} WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}" DISCOVERY_TIMEOUT 60 PROPERTIES LABELS "${ARG_LABEL}" TIMEOUT 120)
  endif()
endfunction()
