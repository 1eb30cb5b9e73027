# yore_layer() and the targets made from layers.
#
# yore_layer(<name> SOURCES <file.c>... [LIBS <target>...])
#   Called from src/<name>/CMakeLists.txt.  Compiles the listed sources (paths relative to that
#   folder) once, position independent, into the object library layer_<name>.  Sources include
#   "<layer>/x.h" (from src/) and <yore/x.h>.  What the layer may use is its line in
#   tools/layers.txt; the layer must stand there.  LIBS are outside libraries only this layer needs.
#   Every layer but cli becomes part of libyore; cli becomes the program, where src/cli/main.c
#   is not listed: it is added to the program itself, so that tests can link the rest of cli.
#
# yore_test(<file.c> [SOURCES <more.c>...] [LAYERS <name>...] [LABELS <label>...] [TIMEOUT <s>]
#           [LIBS <target>...] [ARGS <arg>...])
#   (cmake/YoreTest.cmake.)  Called from tests/<folder>/CMakeLists.txt; the file is relative to
#   that folder or to tests/.  Builds a program named after the file and adds it to ctest as its
#   path below tests/ without ".c".  It links the harness of tests/support and the listed layers
#   with all they need; with no LAYERS, everything: libyore's objects and cli.  LABELS: the first
#   folder below tests/ (unit, crash, ...) where none is given; a unit test that starts
#   threads has the label threads too.  TIMEOUT: 240 s, as other programs may want the processors too.
#
# yore_fuzz(<file.c> [SOURCES <more.c>...] [LAYERS <name>...] [LIBS <target>...])
#   A file with LLVMFuzzerTestOneInput.  In the preset asan (YORE_FUZZ) a libFuzzer program; elsewhere a test,
#   labelled fuzz, that replays every file of tests/fuzz/corpus/<file>/.

set(YORE_LAYERS_FILE "${PROJECT_SOURCE_DIR}/tools/layers.txt")
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${YORE_LAYERS_FILE}")
file(STRINGS "${YORE_LAYERS_FILE}" yore_layer_lines REGEX "^[a-z]+:")
set(YORE_LAYER_NAMES "")
foreach(line IN LISTS yore_layer_lines)
  string(REGEX MATCH "^([a-z]+):(.*)$" _ "${line}")
  set(name "${CMAKE_MATCH_1}")
  string(REGEX REPLACE "\\([^)]*\\)" "" words "${CMAKE_MATCH_2}")
  string(REGEX MATCHALL "[a-z]+" below "${words}")
  foreach(lower IN LISTS below)
    if(NOT lower IN_LIST YORE_LAYER_NAMES)
      message(FATAL_ERROR "tools/layers.txt: ${name} names ${lower}, which is not above it")
    endif()
  endforeach()
  list(APPEND YORE_LAYER_NAMES "${name}")
  set(YORE_LAYER_BELOW_${name} "${below}")
endforeach()
set(YORE_LAYERS "" CACHE STRING "the layers that are built, with all below them; empty: every one")
if(YORE_LAYERS)
  set(YORE_LAYER_NAMES ${YORE_LAYERS})
endif()

# What a layer needs at link time: itself and all it reaches, highest first, present ones only.
function(yore_layer_closure out)
  set(todo ${ARGN})
  set(seen "")
  while(todo)
    list(POP_FRONT todo name)
    if(NOT name IN_LIST seen)
      list(APPEND seen "${name}")
      list(APPEND todo ${YORE_LAYER_BELOW_${name}})
    endif()
  endwhile()
  set(present "")
  foreach(name IN LISTS seen)
    if(TARGET layer_${name})
      list(APPEND present "${name}")
    endif()
  endforeach()
  set(${out} "${present}" PARENT_SCOPE)
endfunction()

function(yore_layer name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LIBS")
  if(NOT name IN_LIST YORE_LAYER_NAMES)
    message(FATAL_ERROR "yore_layer(${name}): no such line in tools/layers.txt")
  endif()
  if(arg_UNPARSED_ARGUMENTS OR NOT arg_SOURCES)
    message(FATAL_ERROR "yore_layer(${name}): say yore_layer(<name> SOURCES <file.c>...)")
  endif()
  set(target layer_${name})
  add_library(${target} OBJECT ${arg_SOURCES})
  target_include_directories(${target} PUBLIC
    "${PROJECT_SOURCE_DIR}/src" "${PROJECT_SOURCE_DIR}/include" "${PROJECT_BINARY_DIR}/include")
  target_link_libraries(${target} PUBLIC yore_build ${arg_LIBS})
  if(name STREQUAL "os" OR name STREQUAL "cluster")
    target_compile_definitions(${target} PRIVATE "_GNU_SOURCE=")
  elseif(name STREQUAL "net")
    # The headers of libuv are not ISO C.
    target_compile_definitions(${target} PRIVATE "_POSIX_C_SOURCE=200809L")
  endif()
  set_property(GLOBAL APPEND PROPERTY YORE_LAYERS_PRESENT ${name})
endfunction()
