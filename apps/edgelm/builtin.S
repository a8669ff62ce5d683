// Embeds the built-in models. Paths come from apps/edgelm/CMakeLists.txt.
    .section .rodata
    .balign 64
    .global edgelm_builtin_default_begin
edgelm_builtin_default_begin:
    .incbin EDGELM_BUILTIN_DEFAULT
    .global edgelm_builtin_default_end
edgelm_builtin_default_end:
    .byte 0
    .balign 64
    .global edgelm_builtin_tiny_begin
edgelm_builtin_tiny_begin:
    .incbin EDGELM_BUILTIN_TINY
    .global edgelm_builtin_tiny_end
edgelm_builtin_tiny_end:
    .byte 0
    .section .note.GNU-stack,"",%progbits
