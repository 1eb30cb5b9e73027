# What `cmake --install` puts where, and the three Debian packages: libyore0 (shared library),
# libyore-dev (headers, static library, pkg-config, CMake package), yore (the program).
include(CMakePackageConfigHelpers)

set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/yore")

if(TARGET yore_shared)
  install(TARGETS yore_shared EXPORT yore
    LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT libyore0 NAMELINK_COMPONENT libyore-dev)
  install(TARGETS yore_static EXPORT yore
    ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT libyore-dev)
  install(DIRECTORY include/yore "${PROJECT_BINARY_DIR}/include/yore"
    DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" COMPONENT libyore-dev FILES_MATCHING PATTERN "*.h")
  install(EXPORT yore NAMESPACE yore:: DESTINATION "${package_dir}" FILE yore-targets.cmake
    COMPONENT libyore-dev)

  configure_package_config_file(cmake/yore-config.cmake.in yore-config.cmake
    INSTALL_DESTINATION "${package_dir}")
  write_basic_package_version_file(yore-config-version.cmake COMPATIBILITY SameMinorVersion)
  install(FILES "${PROJECT_BINARY_DIR}/yore-config.cmake"
    "${PROJECT_BINARY_DIR}/yore-config-version.cmake"
    DESTINATION "${package_dir}" COMPONENT libyore-dev)

  # Relative to the file itself, so that the installed tree can be moved.
  file(RELATIVE_PATH YORE_PC_PREFIX "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/")
  configure_file(cmake/yore.pc.in yore.pc @ONLY)
  install(FILES "${PROJECT_BINARY_DIR}/yore.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig"
    COMPONENT libyore-dev)
  install(FILES man/libyore.3 DESTINATION "${CMAKE_INSTALL_MANDIR}/man3" COMPONENT libyore-dev)
endif()

if(TARGET yore)
  install(TARGETS yore RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}" COMPONENT yore)
  install(FILES man/yore.1 DESTINATION "${CMAKE_INSTALL_MANDIR}/man1" COMPONENT yore)
  install(FILES man/yore.conf.5 DESTINATION "${CMAKE_INSTALL_MANDIR}/man5" COMPONENT yore)
  install(FILES packaging/completion/yore.bash
    DESTINATION "${CMAKE_INSTALL_DATADIR}/bash-completion/completions" RENAME yore COMPONENT yore)
  install(FILES packaging/completion/_yore
    DESTINATION "${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions" COMPONENT yore)
  install(FILES packaging/completion/yore.fish
    DESTINATION "${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d" COMPONENT yore)
  install(FILES packaging/yore-server.service DESTINATION lib/systemd/system COMPONENT yore)
  install(FILES packaging/yore.conf DESTINATION "${CMAKE_INSTALL_FULL_SYSCONFDIR}/yore"
    COMPONENT yore)
  install(FILES packaging/prometheus/yore.rules.yml packaging/grafana/yore-server.json
    DESTINATION "${CMAKE_INSTALL_DATADIR}/yore" COMPONENT yore)
  install(FILES man/yore-server.8 DESTINATION "${CMAKE_INSTALL_MANDIR}/man8" COMPONENT yore)
endif()
foreach(component libyore0 libyore-dev yore)
  install(FILES LICENSE DESTINATION "${CMAKE_INSTALL_DATADIR}/doc/${component}" RENAME copyright
    COMPONENT ${component})
endforeach()

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME yore)
set(CPACK_PACKAGE_VENDOR "The Yore authors")
set(CPACK_PACKAGE_CONTACT "The Yore authors <maintainers@yore.invalid>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${PROJECT_DESCRIPTION}")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_COMPONENTS_ALL libyore0 libyore-dev yore)
set(CPACK_COMPONENTS_GROUPING IGNORE)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_LIBYORE0_PACKAGE_NAME libyore0)
set(CPACK_DEBIAN_LIBYORE0_PACKAGE_SECTION libs)
set(CPACK_DEBIAN_LIBYORE0_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_LIBYORE0_PACKAGE_RECOMMENDS tzdata)
set(CPACK_DEBIAN_LIBYORE0_DESCRIPTION "bitemporal key-value store (shared library)
 Every key is a timeline: reads name the moment they are about.")
set(CPACK_DEBIAN_LIBYORE0_PACKAGE_CONTROL_EXTRA "${PROJECT_SOURCE_DIR}/packaging/triggers")
set(CPACK_DEBIAN_LIBYORE-DEV_PACKAGE_NAME libyore-dev)
set(CPACK_DEBIAN_LIBYORE-DEV_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_LIBYORE-DEV_PACKAGE_DEPENDS
  "libyore0 (= ${PROJECT_VERSION}), liblz4-dev, libzstd-dev, libxxhash-dev, libpcre2-dev")
set(CPACK_DEBIAN_LIBYORE-DEV_DESCRIPTION "bitemporal key-value store (development files)
 Headers, static library, pkg-config and CMake packages of libyore.")
set(CPACK_DEBIAN_YORE_PACKAGE_NAME yore)
set(CPACK_DEBIAN_YORE_PACKAGE_SECTION database)
set(CPACK_DEBIAN_YORE_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_YORE_DESCRIPTION "bitemporal key-value store (program)
 Reads, writes, imports, exports, checks and backs up databases of libyore.")
include(CPack)
