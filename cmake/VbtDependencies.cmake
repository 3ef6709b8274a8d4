# The libraries that vbtrace needs, as imported targets vbt::NAME. All are Debian packages; missing
# ones are reported together, with the command that installs them.
#
#     vbt::zstd          libzstd, shared: the analyzer
#     vbt::zstd_static   libzstd.a with hidden symbols: libvbtrace.so, which must not export any
#     vbt::z             zlib, for exports that are gzip
#     vbt::xxhash        header only
#     vbt::uthash        header only
#     vbt::jansson       JSON
#     vbt::dw, vbt::elf  elfutils: functions and lines of native code
#     vbt::iberty        demangling
#     vbt::cmocka        unit tests, if VBT_TESTS
#
# With VBT_STATIC, the analyzer's libraries are static, too, and those that libdw needs are found.

set(VBT_MISSING_PACKAGES "")

# vbt_need(NAME PACKAGE HEADER [LIBRARY-FILE]): defines vbt::NAME, or reports that PACKAGE is
# missing.
function(vbt_need name package header)
    find_path(VBT_${name}_HEADER NAMES ${header} PATH_SUFFIXES libiberty)
    set(missing "")
    if(NOT VBT_${name}_HEADER)
        set(missing "${header}")
    endif()
    if(ARGC GREATER 3)
        set(file "${ARGV3}")
        if(VBT_STATIC)
            string(REGEX REPLACE "[.]so$" ".a" file "${file}")
        endif()
        find_library(VBT_${name}_LIBRARY NAMES ${file})
        if(NOT VBT_${name}_LIBRARY)
            list(APPEND missing "${file}")
        endif()
    endif()
    mark_as_advanced(VBT_${name}_HEADER VBT_${name}_LIBRARY)
    if(missing)
        list(JOIN missing " and " missing)
        message(NOTICE "vbtrace needs ${missing}, which Debian has in the package ${package}")
        list(APPEND VBT_MISSING_PACKAGES ${package})
        set(VBT_MISSING_PACKAGES "${VBT_MISSING_PACKAGES}" PARENT_SCOPE)
        return()
    endif()
    add_library(vbt::${name} INTERFACE IMPORTED GLOBAL)
    target_include_directories(vbt::${name} INTERFACE "${VBT_${name}_HEADER}")
    if(ARGC GREATER 3)
        target_link_libraries(vbt::${name} INTERFACE "${VBT_${name}_LIBRARY}")
    endif()
endfunction()

vbt_need(zstd libzstd-dev zstd.h libzstd.so)
vbt_need(zstd_static libzstd-dev zstd.h libzstd.a)
vbt_need(z zlib1g-dev zlib.h libz.so)
vbt_need(xxhash libxxhash-dev xxhash.h)
vbt_need(uthash uthash-dev uthash.h)
vbt_need(jansson libjansson-dev jansson.h libjansson.so)
vbt_need(dw libdw-dev elfutils/libdwfl.h libdw.so)
vbt_need(elf libelf-dev gelf.h libelf.so)
vbt_need(iberty libiberty-dev demangle.h libiberty.a)
if(VBT_STATIC)
    vbt_need(lzma liblzma-dev lzma.h liblzma.a)
    vbt_need(bz2 libbz2-dev bzlib.h libbz2.a)
endif()
if(VBT_TESTS)
    vbt_need(cmocka libcmocka-dev cmocka.h libcmocka.so)
endif()

if(VBT_MISSING_PACKAGES)
    list(REMOVE_DUPLICATES VBT_MISSING_PACKAGES)
    list(JOIN VBT_MISSING_PACKAGES " " packages)
    message(FATAL_ERROR "Install missing packages with: apt-get install ${packages}  (or run scripts/install-deps)")
endif()

if(VBT_STATIC)
    target_link_libraries(vbt::dw INTERFACE vbt::elf vbt::lzma vbt::bz2 vbt::zstd vbt::z ${CMAKE_DL_LIBS})
    target_link_libraries(vbt::elf INTERFACE vbt::zstd vbt::z)
endif()
target_link_options(vbt::zstd_static INTERFACE "LINKER:--exclude-libs,libzstd.a")
