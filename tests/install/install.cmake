# Installs the build in BUILD to a fresh PREFIX and checks that nothing which the package promises is missing.
file(REMOVE_RECURSE "${PREFIX}")
execute_process(COMMAND "${CMAKE_COMMAND}" --install "${BUILD}" --prefix "${PREFIX}"
  RESULT_VARIABLE result OUTPUT_QUIET ERROR_VARIABLE error)
if(NOT result EQUAL 0)
  message(FATAL_ERROR "cmake --install failed:\n${error}")
endif()

set(missing "")
foreach(path
    bin/classifier_service bin/search_service bin/web_gateway bin/dateline bin/classifier_train
    share/dateline/gazetteer/gazetteer.tsv share/dateline/gazetteer/ATTRIBUTION.md
    share/dateline/model/countries.model share/dateline/model/issues.model share/dateline/taxonomy/default.textproto
    share/dateline/proto/dateline/article/v1/article.proto
    share/dateline/proto/dateline/classifier/v1/classifier_service.proto
    share/dateline/proto/dateline/search/v1/search_service.proto
    share/dateline/proto/dateline/search/v1/ingest_service.proto
    share/dateline/proto/dateline/search/v1/search_admin_service.proto
    include/dateline/article/v1/article.pb.h
    include/dateline/classifier/v1/classifier_service.grpc.pb.h
    include/dateline/search/v1/search_service.grpc.pb.h
    include/dateline/search/v1/ingest_service.grpc.pb.h
    ${LIBDIR}/libdateline_search_grpc.a
    ${LIBDIR}/libdateline_classifier_grpc.a
    ${LIBDIR}/cmake/Dateline/DatelineConfig.cmake
    ${LIBDIR}/cmake/Dateline/DatelineConfigVersion.cmake)
  if(NOT EXISTS "${PREFIX}/${path}")
    list(APPEND missing "${path}")
  endif()
endforeach()
if(missing)
  list(JOIN missing "\n  " missing)
  message(FATAL_ERROR "not installed:\n  ${missing}")
endif()

# A package that names the tree it was built in works only here.
file(GLOB config "${PREFIX}/${LIBDIR}/cmake/Dateline/*.cmake")
foreach(file IN LISTS config)
  file(READ "${file}" text)
  string(FIND "${text}" "${BUILD}/generated" position)
  if(NOT position EQUAL -1)
    message(FATAL_ERROR "${file} refers to the build tree")
  endif()
endforeach()
