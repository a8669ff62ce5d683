// Makes the pages that the browser test opens: make_report KIND FILE, where KIND is "full" (two
// boards), "plain" (no sensor) or "hostile" (names that want to break out of the page).

#include <cstdio>
#include <string>

#include "os/file.h"
#include "report/build.h"
#include "report/html.h"
#include "support/report_fixture.h"

int main(int argc, char** argv) {
  using namespace edgelm;
  if (argc != 3) return 2;
  const std::string kind = argv[1];
  report::Records records;
  if (kind == "full") {
    test::FixtureRecords all = test::fixture_records();
    records.measured = std::move(all.measured);
    records.quality = std::move(all.quality);
  } else if (kind == "plain") {
    records.measured = {test::fixture_plain("builtin")};
  } else {
    const std::string name =
        "</script><script>window.broken=1</script><img src=x onerror='window.broken=1'>\" &amp; "
        "${window.broken=1} a-name-without-a-place-to-break-that-is-longer-than-a-phone-is-wide";
    records.measured = {test::fixture_plain(name)};
    records.measured[0].passport.cpu.model = name;
    records.measured[0].notes = {name};
    records.unreadable = {name};
  }
  report::Options options;
  options.version = "0.2.0";
  options.made = "2026-03-08T12:00:00Z";
  const auto page = report::html(report::build(records, {}, options));
  if (!page) {
    std::fprintf(stderr, "%s\n", page.error().message.c_str());
    return 1;
  }
  const auto written = os::write_file_atomic(argv[2], *page);
  if (!written) std::fprintf(stderr, "%s\n", written.error().message.c_str());
  return written ? 0 : 1;
}
