usher_library(usher_daemon
  SOURCES config.cc config_reader.cc daemon.cc file_limit.cc forced_end.cc
          grpc_log.cc logging.cc rollout_id.cc run.cc self_check.cc
  DEPS usher_common usher_transport usher_service_platform usher_store
       usher_repository usher_catalog usher_download usher_install
       usher_session usher_rpc
  PRIVATE_DEPS spdlog::spdlog tomlplusplus::tomlplusplus)
usher_binary(usherd SOURCES main.cc DEPS usher_daemon)
if(WIN32)
  get_target_property(usher_events_object usher_events USHER_OBJECT)
  target_link_libraries(usherd PRIVATE "${usher_events_object}")
  add_dependencies(usherd usher_events)
endif()
