# edgelm_embed(NAME FILE...): the bytes of files as part of the library edgelm_NAME. FILE data/prices.toml becomes
# the symbols edgelm_data_prices_toml_begin and ..._end (characters other than letters and digits are _).
enable_language(ASM)

function(edgelm_embed name)
  set(assembly ${PROJECT_BINARY_DIR}/embedded/${name}.S)
  set(text "    .section .rodata\n")
  set(depends)
  foreach(file IN LISTS ARGN)
    string(REGEX REPLACE "[^A-Za-z0-9]" "_" symbol ${file})
    set(path ${PROJECT_SOURCE_DIR}/${file})
    string(APPEND text "    .balign 16\n    .global edgelm_${symbol}_begin\nedgelm_${symbol}_begin:\n"
      "    .incbin \"${path}\"\n    .global edgelm_${symbol}_end\nedgelm_${symbol}_end:\n    .byte 0\n")
    list(APPEND depends ${path})
  endforeach()
  string(APPEND text "    .section .note.GNU-stack,\"\",%progbits\n")
  file(CONFIGURE OUTPUT ${assembly} CONTENT "${text}" @ONLY)
  set_source_files_properties(${assembly} PROPERTIES OBJECT_DEPENDS "${depends}")
  target_sources(edgelm_${name} PRIVATE ${assembly})
endfunction()

# edgelm_embed_as(NAME SYMBOL PATH): the same for one file that the build makes, under a symbol of its own.
function(edgelm_embed_as name symbol path)
  set(assembly ${PROJECT_BINARY_DIR}/embedded/${symbol}.S)
  set(symbol edgelm_${symbol})
  file(CONFIGURE OUTPUT ${assembly} @ONLY CONTENT "    .section .rodata
    .balign 16
    .global @symbol@_begin
@symbol@_begin:
    .incbin \"@path@\"
    .global @symbol@_end
@symbol@_end:
    .byte 0
    .section .note.GNU-stack,\"\",%progbits
")
  set_source_files_properties(${assembly} PROPERTIES OBJECT_DEPENDS ${path})
  target_sources(edgelm_${name} PRIVATE ${assembly} ${path})
endfunction()
