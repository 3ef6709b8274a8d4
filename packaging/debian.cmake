# The package for Debian: what dpkg, lintian and Debian's policy want besides the installed files, and
# cpack's settings. tests/install/deb builds it and tries it.
find_program(VBT_GZIP gzip REQUIRED)
mark_as_advanced(VBT_GZIP)

string(TIMESTAMP date "%a, %d %b %Y %H:%M:%S +0000" UTC) # SOURCE_DATE_EPOCH, if it is set
set(maintainer "The vbtrace authors <authors@vbtrace.invalid>")
set(changelog "${CMAKE_CURRENT_BINARY_DIR}/changelog")
file(WRITE "${changelog}" "vbtrace (${PROJECT_VERSION}) unstable; urgency=medium

  * See CHANGES.md.

 -- ${maintainer}  ${date}
")
configure_file(copyright.in copyright @ONLY)
foreach(text changelog vbtrace.1)
    execute_process(
        COMMAND "${VBT_GZIP}" -9nc "${CMAKE_CURRENT_BINARY_DIR}/${text}" OUTPUT_FILE "${CMAKE_CURRENT_BINARY_DIR}/${text}.gz"
        COMMAND_ERROR_IS_FATAL ANY)
endforeach()
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/changelog.gz" "${CMAKE_CURRENT_BINARY_DIR}/copyright" DESTINATION "${CMAKE_INSTALL_DOCDIR}")
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/vbtrace.1.gz" DESTINATION "${CMAKE_INSTALL_MANDIR}/man1")
install(CODE "file(REMOVE \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_MANDIR}/man1/vbtrace.1\"
    \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_DOCDIR}/LICENSE\")")

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME vbtrace)
set(CPACK_PACKAGE_CONTACT "${maintainer}")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "exact memory cost of every line and every timed interval")
set(CPACK_PACKAGE_DESCRIPTION "A preloaded library counts every allocation of a program by line, call path and
timed interval, and writes a small trace; the tool turns traces into reports.
Python programs are attributed line by line, all others by native call stack.")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION devel)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS OFF)
file(WRITE "${CMAKE_CURRENT_BINARY_DIR}/triggers" "activate-noawait ldconfig\n")
configure_file(prerm.in prerm @ONLY FILE_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA "${CMAKE_CURRENT_BINARY_DIR}/triggers" "${CMAKE_CURRENT_BINARY_DIR}/prerm")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS python3)
include(CPack)
