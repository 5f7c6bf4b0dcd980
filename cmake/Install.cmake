# `cmake --install BUILD_DIR --prefix PREFIX` puts in place
#
#   bin/                    the programs
#   share/dateline/         what the classifier reads when it starts: taxonomy, gazetteer, model
#   share/dateline/proto/   the contracts; a client in any language is generated from this folder and nothing else
#   include/dateline/…      the generated messages and stubs
#   lib/                    the same, compiled
#   lib/cmake/Dateline/     the CMake package:
#
#     find_package(Dateline REQUIRED)
#     target_link_libraries(mine PRIVATE Dateline::search_client)      # SearchService, IngestService, SearchAdminService
#     target_link_libraries(mine PRIVATE Dateline::classifier_client)  # ClassifierService
#
# Components: Runtime (bin, share/dateline without proto) and Development (the rest).
include(CMakePackageConfigHelpers)

set(DATELINE_INSTALL_DATADIR "${CMAKE_INSTALL_DATADIR}/dateline")
set(DATELINE_INSTALL_CMAKEDIR "${CMAKE_INSTALL_LIBDIR}/cmake/Dateline")

foreach(program classifier_service search_service web_gateway dateline classifier_train)
  if(TARGET ${program})
    install(TARGETS ${program} RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}" COMPONENT Runtime)
  endif()
endforeach()

# Where the programs look for it: ../share/dateline beside them. The gazetteer's sources want to be named with it.
install(DIRECTORY "${PROJECT_SOURCE_DIR}/classifier_service/data/" DESTINATION "${DATELINE_INSTALL_DATADIR}"
  COMPONENT Runtime PATTERN curated.txt EXCLUDE PATTERN demonyms.txt EXCLUDE PATTERN README.md EXCLUDE)

install(DIRECTORY "${PROJECT_SOURCE_DIR}/proto/dateline"
  DESTINATION "${DATELINE_INSTALL_DATADIR}/proto" COMPONENT Development FILES_MATCHING PATTERN "*.proto")

# The client libraries. In the build tree they go by their short names; installed beside others they say whose they are.
foreach(library article_proto classifier_proto search_proto classifier_grpc search_grpc)
  set_target_properties(${library} PROPERTIES OUTPUT_NAME "dateline_${library}")
  install(TARGETS ${library} EXPORT DatelineTargets
    ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT Development
    INCLUDES DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
  get_target_property(headers ${library} DATELINE_GENERATED_HEADERS)
  foreach(header IN LISTS headers)
    file(RELATIVE_PATH path "${DATELINE_GENERATED_DIR}" "${header}")
    get_filename_component(folder "${path}" DIRECTORY)
    install(FILES "${header}" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/${folder}" COMPONENT Development)
  endforeach()
endforeach()
foreach(client search classifier)
  add_library(dateline_${client}_client INTERFACE)
  target_link_libraries(dateline_${client}_client INTERFACE ${client}_grpc ${client}_proto article_proto)
  set_target_properties(dateline_${client}_client PROPERTIES EXPORT_NAME ${client}_client)
  install(TARGETS dateline_${client}_client EXPORT DatelineTargets)
endforeach()
install(EXPORT DatelineTargets NAMESPACE Dateline::
  DESTINATION "${DATELINE_INSTALL_CMAKEDIR}" COMPONENT Development)

configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/DatelineConfig.cmake.in"
  "${PROJECT_BINARY_DIR}/cmake/DatelineConfig.cmake"
  INSTALL_DESTINATION "${DATELINE_INSTALL_CMAKEDIR}"
  PATH_VARS DATELINE_INSTALL_DATADIR)
# Until 1.0 a minor version may change the libraries; the contracts themselves never break.
write_basic_package_version_file("${PROJECT_BINARY_DIR}/cmake/DatelineConfigVersion.cmake"
  COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/cmake/DatelineConfig.cmake" "${PROJECT_BINARY_DIR}/cmake/DatelineConfigVersion.cmake"
  DESTINATION "${DATELINE_INSTALL_CMAKEDIR}" COMPONENT Development)
