# Installs the built library into an empty prefix, builds the consumer against it and runs it; then configures the same consumer
# with add_subdirectory and compiles it. Called by ctest with BUILD (the library's build folder), SOURCE, WORK and CXX.
function(run)
  execute_process(COMMAND ${ARGV} COMMAND_ERROR_IS_FATAL ANY)
endfunction()
file(REMOVE_RECURSE ${WORK})
run(${CMAKE_COMMAND} --install ${BUILD} --prefix ${WORK}/prefix)
run(${CMAKE_COMMAND} -G Ninja -S ${SOURCE}/test/consumer -B ${WORK}/installed -DCMAKE_PREFIX_PATH=${WORK}/prefix -DCMAKE_CXX_COMPILER=${CXX} -DCMAKE_BUILD_TYPE=Release)
run(${CMAKE_COMMAND} --build ${WORK}/installed)
run(${WORK}/installed/consumer)
run(${CMAKE_COMMAND} -G Ninja -S ${SOURCE}/test/consumer -B ${WORK}/subdirectory -DRILL_SOURCE=${SOURCE} -DCMAKE_CXX_COMPILER=${CXX} -DCMAKE_BUILD_TYPE=Release)
run(${CMAKE_COMMAND} --build ${WORK}/subdirectory --target CMakeFiles/consumer.dir/main.cpp.o)
