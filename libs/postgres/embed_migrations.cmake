# Writes a .cc that holds every migration, and what makes the roles:
# cmake -DROOT=deploy/migrations -DROLES=deploy/roles/roles.sql -DOUTPUT=x.cc -P this
file(GLOB directories LIST_DIRECTORIES true ${ROOT}/[0-9][0-9][0-9][0-9]_*)
list(SORT directories)

set(rows "")
set(all "")
foreach(directory IN LISTS directories)
  if(NOT EXISTS ${directory}/up.sql OR NOT EXISTS ${directory}/verify.sql)
    message(FATAL_ERROR "${directory} needs up.sql and verify.sql")
  endif()
  get_filename_component(name ${directory} NAME)
  string(REGEX REPLACE "^0*([0-9]+)_(.*)$" "\\1" version ${name})
  string(REGEX REPLACE "^([0-9]+)_(.*)$" "\\2" slug ${name})
  file(SHA256 ${directory}/up.sql checksum)
  file(READ ${directory}/up.sql up)
  file(READ ${directory}/verify.sql verify)
  # Lines such as "-- run: one by one" at the top of up.sql (deploy/migrations/README.md).
  set(run "kInATransaction")
  if(up MATCHES "(^|\n)-- run: ([^\n]*)\n")
    if(CMAKE_MATCH_2 STREQUAL "one by one")
      set(run "kOneByOne")
    elseif(CMAKE_MATCH_2 STREQUAL "in chunks")
      set(run "kInChunks")
    else()
      message(FATAL_ERROR "${name}: run: is \"one by one\" or \"in chunks\"")
    endif()
  endif()
  set(oldest_program 0)
  if(up MATCHES "(^|\n)-- oldest program: ([0-9]+)\n")
    set(oldest_program ${CMAKE_MATCH_2})
  endif()
  set(each_partition_of "")
  if(up MATCHES "(^|\n)-- each partition of: ([a-z_.]+)\n")
    set(each_partition_of ${CMAKE_MATCH_2})
  endif()
  string(APPEND all "${name} ${checksum}\n")
  string(APPEND rows "      {${version}, \"${slug}\", \"${checksum}\", R\"guilder_sql(${up})guilder_sql\",\n"
    "       R\"guilder_sql(${verify})guilder_sql\", MigrationRun::${run}, ${oldest_program},\n"
    "       \"${each_partition_of}\"},\n")
endforeach()
string(SHA256 all_checksum "${all}")
file(READ ${ROLES} roles)

file(WRITE ${OUTPUT}.new "// Generated from deploy/migrations and deploy/roles.
#include \"libs/postgres/migrator.h\"
#include \"libs/postgres/roles.h\"

namespace guilder::postgres {

const std::vector<Migration>& BuiltInMigrations() {
  static const std::vector<Migration> migrations = {
${rows}  };
  return migrations;
}

std::string MigrationsChecksum() { return \"${all_checksum}\"; }

std::string RolesScript() { return R\"guilder_sql(${roles})guilder_sql\"; }

}  // namespace guilder::postgres
")
file(RENAME ${OUTPUT}.new ${OUTPUT})
