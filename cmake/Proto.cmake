# Libraries from .proto files.
#
#   dateline_proto_library(NAME PROTOS dateline/article/v1/article.proto IMPORT_DIRS DIR... DEPS other_proto)
#   dateline_grpc_library(NAME PROTOS ... IMPORT_DIRS DIR... DEPS other_proto)
#
# The first makes the messages, the second the gRPC stubs of the services in the same files (DEPS must name the library
# of their messages). PROTOS are paths below the first of IMPORT_DIRS, which is proto/ in the root if none is given; the
# others are searched for imports. Headers are included by that path: #include "dateline/article/v1/article.pb.h".
# Generated code is compiled without our warnings, and its headers are system headers.
#
# With DATELINE_CORE_ONLY there are messages but no stubs: dateline_grpc_library does nothing.

set(DATELINE_GENERATED_DIR "${CMAKE_BINARY_DIR}/generated")
file(MAKE_DIRECTORY "${DATELINE_GENERATED_DIR}")

# All generated headers, without compiling anything: what a tool needs that only reads sources.
add_custom_target(dateline_generated)

function(_dateline_generate name)
  cmake_parse_arguments(ARG "GRPC" "" "PROTOS;IMPORT_DIRS;DEPS" ${ARGN})
  if(NOT ARG_IMPORT_DIRS)
    set(ARG_IMPORT_DIRS "${PROJECT_SOURCE_DIR}/proto")
  endif()
  list(TRANSFORM ARG_IMPORT_DIRS PREPEND "-I" OUTPUT_VARIABLE imports)
  list(GET ARG_IMPORT_DIRS 0 root)
  if(ARG_GRPC)
    set(extension ".grpc.pb")
    set(arguments "--grpc_out=${DATELINE_GENERATED_DIR}" "--plugin=protoc-gen-grpc=$<TARGET_FILE:gRPC::grpc_cpp_plugin>")
  else()
    set(extension ".pb")
    set(arguments "--cpp_out=${DATELINE_GENERATED_DIR}")
  endif()
  # What the files import comes from the libraries in DEPS.
  set(imported "")
  foreach(dependency IN LISTS ARG_DEPS)
    get_target_property(files ${dependency} DATELINE_PROTO_FILES)
    if(files)
      list(APPEND imported ${files})
    endif()
  endforeach()
  set(sources "")
  set(headers "")
  foreach(proto IN LISTS ARG_PROTOS)
    string(REGEX REPLACE "\\.proto$" "" stem "${proto}")
    set(out "${DATELINE_GENERATED_DIR}/${stem}${extension}")
    add_custom_command(
      OUTPUT "${out}.cc" "${out}.h"
      COMMAND protobuf::protoc ${arguments} ${imports} "${root}/${proto}"
      DEPENDS "${root}/${proto}" ${imported} protobuf::protoc
      COMMENT "protoc: ${stem}${extension}"
      VERBATIM)
    list(APPEND sources "${out}.cc")
    list(APPEND headers "${out}.h")
  endforeach()
  add_custom_target(${name}_generated DEPENDS ${headers})
  add_dependencies(dateline_generated ${name}_generated)
  add_library(${name} STATIC ${sources} ${headers})
  add_dependencies(${name} ${name}_generated)
  target_include_directories(${name} SYSTEM PUBLIC "$<BUILD_INTERFACE:${DATELINE_GENERATED_DIR}>")
  target_compile_options(${name} PRIVATE -w)
  target_link_libraries(${name} PUBLIC ${ARG_DEPS} protobuf::libprotobuf)
  list(TRANSFORM ARG_PROTOS PREPEND "${root}/" OUTPUT_VARIABLE files)
  set_target_properties(${name} PROPERTIES
    DATELINE_PROTO_FILES "${files};${imported}"
    DATELINE_GENERATED_HEADERS "${headers}"  # For `install`.
    CXX_CLANG_TIDY "")
endfunction()

function(dateline_proto_library name)
  _dateline_generate(${name} ${ARGN})
endfunction()

function(dateline_grpc_library name)
  if(DATELINE_CORE_ONLY)
    return()
  endif()
  _dateline_generate(${name} GRPC ${ARGN})
  target_link_libraries(${name} PUBLIC gRPC::grpc++)
endfunction()
