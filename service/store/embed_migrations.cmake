cmake_minimum_required(VERSION 3.23)
# Writes OUTPUT, a C++ source that holds every NNNN_name.sql of FOLDER.
# cmake -DFOLDER=… -DOUTPUT=… -P embed_migrations.cmake
file(GLOB files "${FOLDER}/*.sql")
list(SORT files)
set(rows "")
set(seen "")
foreach(file IN LISTS files)
  get_filename_component(name "${file}" NAME)
  if(NOT name MATCHES "^([0-9][0-9][0-9][0-9])_([a-z0-9_]+)[.]sql$")
    message(FATAL_ERROR "${file}: a migration is called NNNN_name.sql")
  endif()
  set(digits "${CMAKE_MATCH_1}")
  set(title "${CMAKE_MATCH_2}")
  if(digits IN_LIST seen)
    message(FATAL_ERROR "${file}: the number ${digits} is taken")
  endif()
  list(APPEND seen "${digits}")
  string(REGEX REPLACE "^0+" "" number "${digits}")
  file(READ "${file}" sql)
  string(APPEND rows
         "    {${number}, \"${title}\", R\"usher_sql(${sql})usher_sql\"},\n")
endforeach()
file(WRITE "${OUTPUT}" "// Generated from service/store/migrations.
#include \"service/store/migrations.h\"

namespace usher::store {
namespace {

constexpr Migration kMigrations[] = {
${rows}};

}  // namespace

absl::Span<const Migration> BuiltInMigrations() { return kMigrations; }

}  // namespace usher::store
")
