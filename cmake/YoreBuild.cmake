# The interface target yore_build: how every file of the project is compiled.
include(CheckCCompilerFlag)
include(CheckPIESupported)
check_pie_supported(LANGUAGES C)

find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
pkg_check_modules(LZ4 REQUIRED IMPORTED_TARGET liblz4)
pkg_check_modules(ZSTD REQUIRED IMPORTED_TARGET libzstd)
pkg_check_modules(XXHASH REQUIRED IMPORTED_TARGET libxxhash)
pkg_check_modules(ARGON2 REQUIRED IMPORTED_TARGET libargon2)
pkg_check_modules(PCRE2 REQUIRED IMPORTED_TARGET libpcre2-8)
pkg_check_modules(EDIT REQUIRED IMPORTED_TARGET libedit)
pkg_check_modules(EXPAT REQUIRED IMPORTED_TARGET expat)
pkg_check_modules(UV REQUIRED IMPORTED_TARGET libuv)
pkg_check_modules(OPENSSL REQUIRED IMPORTED_TARGET openssl)

add_library(yore_build INTERFACE)
target_compile_options(yore_build INTERFACE
  -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wundef
  -Wcast-qual -Wformat=2 -fno-common -fno-strict-aliasing)
# Costly assertions (base/assert.h) in dev, asan and tsan; a branch that never runs would only
# spoil the figures of coverage.
target_compile_definitions(yore_build INTERFACE $<$<CONFIG:Debug>:YORE_DEBUG>)
target_link_libraries(yore_build INTERFACE
  PkgConfig::LZ4 PkgConfig::ZSTD PkgConfig::XXHASH PkgConfig::PCRE2 Threads::Threads m)

# Locks and what they guard are annotated; only clang can check it.
if(CMAKE_C_COMPILER_ID STREQUAL "Clang")
  target_compile_options(yore_build INTERFACE -Wthread-safety)
endif()

if(YORE_SANITIZE STREQUAL "address")
  set(yore_sanitizers address,undefined)
elseif(YORE_SANITIZE STREQUAL "thread")
  set(yore_sanitizers thread)
elseif(YORE_SANITIZE)
  message(FATAL_ERROR "YORE_SANITIZE is address, thread or empty")
elseif(YORE_FUZZ)
  set(yore_sanitizers address,undefined)
endif()
if(YORE_FUZZ)
  if(NOT CMAKE_C_COMPILER_ID STREQUAL "Clang")
    message(FATAL_ERROR "YORE_FUZZ needs clang: cmake --preset asan")
  endif()
  target_compile_options(yore_build INTERFACE -fsanitize=fuzzer-no-link)
endif()

if(yore_sanitizers)
  target_compile_options(yore_build INTERFACE -fsanitize=${yore_sanitizers}
    -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(yore_build INTERFACE -fsanitize=${yore_sanitizers})
elseif(CMAKE_BUILD_TYPE MATCHES "^(Release|RelWithDebInfo)$")
  foreach(flag -fstack-protector-strong -fstack-clash-protection -fcf-protection
               -ftrivial-auto-var-init=zero)
    string(MAKE_C_IDENTIFIER "YORE_HAS${flag}" has)
    check_c_compiler_flag(${flag} ${has})
    if(${has})
      target_compile_options(yore_build INTERFACE ${flag})
    endif()
  endforeach()
  target_compile_options(yore_build INTERFACE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3)
  target_link_options(yore_build INTERFACE -Wl,-z,relro,-z,now,-z,noexecstack)
endif()
