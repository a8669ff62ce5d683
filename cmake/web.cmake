# edgelm_web(NAME): builds the page of web/NAME (npm, Vite) into one HTML file and makes it part of
# the library edgelm_NAME, between the symbols edgelm_web_NAME_begin and ..._end. Everything happens
# in the build folder: sources are copied there, npm ci runs when the lock file changes, Vite when a
# source does. After npm ci the network is not needed. In a cross build the host's npm is used.
include(${CMAKE_CURRENT_LIST_DIR}/embed.cmake)

function(edgelm_web name)
  find_program(EDGELM_NPM npm)
  find_program(EDGELM_NODE NAMES node nodejs)
  if(NOT EDGELM_NPM OR NOT EDGELM_NODE)
    message(FATAL_ERROR "npm and node (18 or newer) build the page of web/${name}; "
      "Debian: apt-get install nodejs npm, or ./dev setup demo")
  endif()
  execute_process(COMMAND ${EDGELM_NODE} --version OUTPUT_VARIABLE version)
  string(REGEX MATCH "[0-9]+" major "${version}")
  if(NOT major OR major LESS 18)
    message(FATAL_ERROR "${EDGELM_NODE} is ${version}; web/${name} wants 18 or newer")
  endif()

  set(source ${PROJECT_SOURCE_DIR}/web/${name})
  set(work ${PROJECT_BINARY_DIR}/web/${name})
  file(GLOB_RECURSE files CONFIGURE_DEPENDS ${source}/src/*)
  set(parts ${files} ${source}/index.html ${source}/vite.config.js ${source}/svelte.config.js)
  add_custom_command(OUTPUT ${work}/installed
    COMMAND ${CMAKE_COMMAND} -E make_directory ${work}
    COMMAND ${CMAKE_COMMAND} -E copy ${source}/package.json ${source}/package-lock.json ${work}/
    COMMAND ${CMAKE_COMMAND} -E chdir ${work} ${EDGELM_NPM} ci
      --no-audit --no-fund --ignore-scripts --loglevel=error
    COMMAND ${CMAKE_COMMAND} -E touch ${work}/installed
    DEPENDS ${source}/package.json ${source}/package-lock.json
    COMMENT "npm ci for web/${name}" VERBATIM)
  add_custom_command(OUTPUT ${work}/dist/index.html
    COMMAND ${CMAKE_COMMAND} -E rm -rf ${work}/src
    COMMAND ${CMAKE_COMMAND} -E copy_directory ${source}/src ${work}/src
    COMMAND ${CMAKE_COMMAND} -E copy ${source}/index.html ${source}/vite.config.js
      ${source}/svelte.config.js ${work}/
    COMMAND ${CMAKE_COMMAND} -E chdir ${work} ${EDGELM_NODE} node_modules/vite/bin/vite.js build
      --logLevel warn
    DEPENDS ${work}/installed ${parts}
    COMMENT "Vite builds web/${name}" VERBATIM)
  edgelm_embed_as(${name} web_${name} ${work}/dist/index.html)
endfunction()
