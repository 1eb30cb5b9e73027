# libyore.a, libyore.so and the program, from the layers that are present.
#
# Both libraries hold every layer but cli, net and server.  Hidden symbols do not leave
# the shared library by themselves; for the static one all objects are first joined into one, whose
# hidden symbols are made local, so that it too shows nothing but yore_*.

get_property(yore_layers GLOBAL PROPERTY YORE_LAYERS_PRESENT)
set(yore_library_layers ${yore_layers})
list(REMOVE_ITEM yore_library_layers command net cluster server cli)

if(yore_library_layers)
  set(yore_objects "")
  foreach(layer IN LISTS yore_library_layers)
    list(APPEND yore_objects $<TARGET_OBJECTS:layer_${layer}>)
  endforeach()

  add_library(yore_shared SHARED ${yore_objects})
  set_target_properties(yore_shared PROPERTIES OUTPUT_NAME yore EXPORT_NAME shared
    VERSION ${PROJECT_VERSION} SOVERSION 0 LINKER_LANGUAGE C)
  target_link_options(yore_shared PRIVATE -Wl,--as-needed)
  if(NOT yore_sanitizers)
    target_link_options(yore_shared PRIVATE -Wl,-z,defs)
  endif()

  find_program(YORE_OBJCOPY NAMES ${CMAKE_OBJCOPY} objcopy REQUIRED)
  set(joined "${PROJECT_BINARY_DIR}/yore_joined.o")
  add_custom_command(OUTPUT "${joined}"
    COMMAND ${CMAKE_LINKER} -r -o "${joined}" ${yore_objects}
    COMMAND ${YORE_OBJCOPY} --localize-hidden "${joined}"
    DEPENDS ${yore_objects} COMMAND_EXPAND_LISTS VERBATIM
    COMMENT "Joining the objects of libyore.a and hiding its own symbols")
  add_library(yore_static STATIC "${joined}")
  set_source_files_properties("${joined}" PROPERTIES EXTERNAL_OBJECT ON GENERATED ON)
  set_target_properties(yore_static PROPERTIES OUTPUT_NAME yore EXPORT_NAME static
    LINKER_LANGUAGE C)

  foreach(library yore_shared yore_static)
    target_link_libraries(${library} PRIVATE
      PkgConfig::LZ4 PkgConfig::ZSTD PkgConfig::XXHASH PkgConfig::PCRE2 Threads::Threads m)
    target_include_directories(${library} PUBLIC
      $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
      $<BUILD_INTERFACE:${PROJECT_BINARY_DIR}/include>
      $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  endforeach()
  # Link options (sanitizers, hardening) without exporting the internal target yore_build.
  target_link_options(yore_shared PRIVATE
    $<GENEX_EVAL:$<TARGET_PROPERTY:yore_build,INTERFACE_LINK_OPTIONS>>)
endif()

if(TARGET layer_cli)
  target_link_libraries(layer_cli PUBLIC PkgConfig::EDIT)
  add_executable(yore "${PROJECT_SOURCE_DIR}/src/cli/main.c")
  yore_layer_closure(layers cli)
  foreach(layer IN LISTS layers)
    target_link_libraries(yore PRIVATE layer_${layer})
  endforeach()
  set_target_properties(yore PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}")
endif()

# Each layer linked with only what it may use: a call upwards is an undefined symbol.  The lint test
# lint/layers_alone builds this.
add_custom_target(layers_alone)
foreach(layer IN LISTS yore_layers)
  add_library(alone_${layer} MODULE EXCLUDE_FROM_ALL)
  set_target_properties(alone_${layer} PROPERTIES LINKER_LANGUAGE C
    LIBRARY_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/alone")
  target_link_options(alone_${layer} PRIVATE -Wl,-z,defs)
  yore_layer_closure(below ${layer})
  foreach(name IN LISTS below)
    target_link_libraries(alone_${layer} PRIVATE layer_${name})
  endforeach()
  add_dependencies(layers_alone alone_${layer})
endforeach()
