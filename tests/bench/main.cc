// usher_bench: what has to be measured in C++. tests/bench/bench.py runs it.

#include <CLI/CLI.hpp>
#include <iostream>
#include <string>

#include "absl/status/status.h"
#include "tests/bench/bare_server.h"
#include "tests/bench/rpc_bench.h"
#include "tests/bench/search_bench.h"

int main(int argc, char** argv) {
  CLI::App app("Measures the calls of a running usherd.");
  app.require_subcommand(1);

  std::string address;
  CLI::App* bare = app.add_subcommand("bare-server", "serve the yardstick");
  bare->add_option("address", address, "socket path")->required();

  std::string bare_address;
  int bare_port = 0;
  int calls = 20000;
  CLI::App* rpc =
      app.add_subcommand("rpc", "unary latency beside the bare one");
  rpc->add_option("address", address, "the service's socket")->required();
  rpc->add_option("bare", bare_address, "the bare server's socket")->required();
  rpc->add_option("bare-port", bare_port, "the bare server's TCP port")
      ->required();
  rpc->add_option("--calls", calls, "calls measured on each side");

  std::string service_id;
  std::string text;
  usher::bench::SearchCase search_case;
  CLI::App* search = app.add_subcommand("search", "time of a search");
  search->add_option("address", address, "the service's socket")->required();
  search->add_option("--service", service_id, "update service id")->required();
  search->add_option("--name", search_case.name, "name in the report");
  search->add_option("--criteria", search_case.criteria, "search criteria");
  search->add_option("--text", text, "text in name or title");
  search->add_option("--runs", search_case.runs, "searches measured");

  CLI11_PARSE(app, argc, argv);

  absl::Status status;
  if (bare->parsed()) {
    status = usher::bench::ServeBare(address);
  } else if (rpc->parsed()) {
    status = usher::bench::BenchRpc(address, bare_address, bare_port, calls);
  } else {
    status = usher::bench::BenchSearch(address, service_id, text, search_case);
  }
  if (!status.ok()) {
    std::cerr << "usher_bench: " << status << "\n";
    return 1;
  }
  return 0;
}
