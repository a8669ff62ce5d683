// The report's contents: figures worked out by hand, reasons for what is absent, and names that
// want to break out of every form.

#include "report/build.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "report/csv.h"
#include "report/document_json.h"
#include "report/html.h"
#include "report/text.h"
#include "support/report_fixture.h"

namespace edgelm::report {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

Records full() {
  test::FixtureRecords all = test::fixture_records();
  return {std::move(all.measured), std::move(all.quality), {}};
}

Options options() {
  Options o;
  o.version = "0.2.0";
  o.made = "2026-03-08T12:00:00Z";
  return o;
}

const Section& section(const Document& d, const std::string& id) {
  return *std::find_if(d.sections.begin(), d.sections.end(),
                       [&](const Section& s) { return s.id == id; });
}

std::size_t column(const Table& table, const std::string& title, const std::string& unit = "") {
  const auto at = std::find_if(table.columns.begin(), table.columns.end(), [&](const Column& c) {
    return c.title == title && (unit.empty() || c.unit == unit);
  });
  EXPECT_NE(at, table.columns.end()) << title;
  return static_cast<std::size_t>(at - table.columns.begin());
}

TEST(Report, EveryFigureHasAnOriginAndEveryAbsenceAReason) {
  for (const bool sensors : {true, false}) {
    Records records = full();
    if (!sensors) records = {{test::fixture_plain("builtin")}, {}, {}};
    const Document document = build(records, {}, options());
    for (const Section& s : document.sections) {
      for (const Table& table : s.tables) {
        for (const auto& row : table.rows) {
          ASSERT_THAT(row, SizeIs(table.columns.size())) << table.id;
          for (std::size_t i = 0; i < row.size(); ++i) {
            const std::string where = table.id + ": " + table.columns[i].title;
            if (row[i].text == kNotAvailable) {
              EXPECT_NE(row[i].note, "") << where;
            } else if (table.columns[i].numeric && row[i].text.find('.') != std::string::npos) {
              EXPECT_TRUE(row[i].origin) << where << ": " << row[i].text;
            }
          }
        }
        EXPECT_TRUE(!table.rows.empty() || !table.empty.empty()) << table.id;
      }
      for (const Plot& plot : s.plots)
        EXPECT_TRUE(!plot.panels.empty() || plot.empty.size() > 20) << plot.id << plot.empty;
    }
    for (const DeviceSheet& device : document.devices)
      for (const Fact& fact : device.facts)
        EXPECT_TRUE(fact.cell.text != kNotAvailable || !fact.cell.note.empty()) << fact.label;
  }
}

TEST(Report, DerivedFiguresAreRight) {
  Records records = full();
  measure::Record& r = records.measured[0];
  r.decode_tokens_per_s->median = 10;
  r.decode.gross->joules = 640;
  r.decode.tokens = 1280;
  r.prefill.gross->joules = 256;
  r.prefill.tokens = 2560;
  r.ttft_ms->median = 3000;
  r.bytes_per_token = 1e9;
  r.read_bytes_per_s = 2e10;
  const std::vector<Row> rows = rows_of(records, options());
  const auto row =
      std::find_if(rows.begin(), rows.end(), [&](const Row& one) { return one.record == &r; });
  ASSERT_NE(row, rows.end());
  EXPECT_DOUBLE_EQ(*row->decode_joules, 0.5);
  EXPECT_DOUBLE_EQ(*row->prefill_joules, 0.1);
  EXPECT_DOUBLE_EQ(row->econ.trade_off->s_t, 0.05);
  EXPECT_DOUBLE_EQ(*row->bandwidth_share, 0.5);
  EXPECT_NEAR(*row->econ.joules_per_response, 0.5 * 128 + 0.1 * 512, 1e-9);
  EXPECT_NEAR(*row->econ.cost_per_response, 115.2 / 3.6e6 * 0.25, 1e-15);
  EXPECT_DOUBLE_EQ(*row->econ.responsiveness, 0.25);
  EXPECT_DOUBLE_EQ(*row->quality, 0.311);
  EXPECT_EQ(row->energy_origin, Origin::kModelled) << "PMIC watts are a fit";
  const Table pcr = section(build(records, {}, options()), "utility").tables[0];
  const auto line = std::find_if(pcr.rows.begin(), pcr.rows.end(), [&](const auto& cells) {
    return cells[column(pcr, "R")].text == "0.2500";
  });
  ASSERT_NE(line, pcr.rows.end());
  EXPECT_NEAR(*(*line)[column(pcr, "U", "alpha 0.5")].value, (0.311 + 0.25) / 2, 1e-12);
  EXPECT_NEAR(*(*line)[column(pcr, "PCR", "alpha 0.5")].value,
              (0.311 + 0.25) / 2 / (115.2 / 3.6e6 * 0.25 * 100), 1e-6);
}

TEST(Report, ScopesOfEnergyAreKeptApart) {
  const Document document = build(full(), {}, options());
  EXPECT_THAT(document.warnings, Contains(HasSubstr("different scopes (modelled, module)")));
  const Plot& plot = section(document, "energy").plots[0];
  EXPECT_THAT(plot.panels, SizeIs(2));
  for (const Highlight& h : document.highlights)
    EXPECT_TRUE(h.label != "Least energy" || h.cell.text == kNotAvailable);
}

TEST(Report, OneOfAThingIsNotMany) {
  const Records records = {{full().measured[0]}, {}, {}};
  const Document document = build(records, {}, options());
  EXPECT_THAT(document.subtitle, AllOf(HasSubstr("1 cell of 1 model file"), HasSubstr("1 run")));
  const Plot& predicted = section(document, "prediction").plots[0];
  ASSERT_THAT(predicted.panels, Not(IsEmpty()));
  EXPECT_TRUE(predicted.panels[0].note.ends_with("over 1 cell")) << predicted.panels[0].note;
  const std::string text = terminal_text(document);
  for (const char* wrong : {" 1 cells", " 1 records", " 1 runs", " 1 threads", " 1 readings"})
    EXPECT_THAT(text, Not(HasSubstr(wrong)));
}

TEST(Report, TheTimeLineHasItsPhases) {
  Records records = {{full().measured[0]}, {}, {}};
  const auto panel = [&] {
    return section(build(records, {}, options()), "conditions").plots[0].panels.at(0);
  };
  const Panel marked = panel();
  ASSERT_THAT(marked.spans, SizeIs(8));
  EXPECT_EQ(marked.spans[4].name, "prefill");
  EXPECT_DOUBLE_EQ(marked.spans[4].begin, 7);
  EXPECT_DOUBLE_EQ(marked.spans[4].end, 20);
  records.measured[0].phases.clear();  // as measured by an older version
  EXPECT_THAT(panel().spans, IsEmpty());
  EXPECT_THAT(panel().series, SizeIs(marked.series.size()));
}

TEST(Report, TheFrontHoldsWhatNothingBeats) {
  const Document document = build(full(), {}, options());
  for (const Panel& panel : section(document, "energy").plots[0].panels) {
    std::vector<Point> all;
    for (const Series& series : panel.series)
      all.insert(all.end(), series.points.begin(), series.points.end());
    int on_front = 0;
    for (const Point& p : all) {
      const bool beaten = std::any_of(all.begin(), all.end(), [&](const Point& q) {
        return q.x >= p.x && q.y <= p.y && (q.x > p.x || q.y < p.y);
      });
      EXPECT_EQ(p.flag, !beaten);
      on_front += p.flag ? 1 : 0;
    }
    EXPECT_GE(on_front, 1);
    EXPECT_LT(on_front, static_cast<int>(all.size()));
  }
}

TEST(Report, TheNewestRecordOfACellStandsForAll) {
  Records records = full();
  const std::size_t n = records.measured.size();
  measure::Record again = records.measured[0];
  again.id = "again";
  again.decode_tokens_per_s->median = 77;
  records.measured.push_back(again);
  const auto medians = [&](bool every) {
    Options o = options();
    o.every_record = every;
    std::vector<double> list;
    for (const Row& row : rows_of(records, o))
      list.push_back(median_of(row.record->decode_tokens_per_s).value_or(0));
    return list;
  };
  EXPECT_THAT(medians(false), AllOf(SizeIs(n), Contains(77.0)));
  EXPECT_THAT(medians(true), SizeIs(n + 1));
}

TEST(Report, LabelsHoldWhatDiffers) {
  const Records records = full();
  const std::vector<Row> rows = rows_of(records, options());
  std::vector<std::string> seen;
  seen.reserve(rows.size());
  for (const Row& row : rows) seen.push_back(row.label);
  std::sort(seen.begin(), seen.end());
  EXPECT_EQ(std::unique(seen.begin(), seen.end()), seen.end()) << "each row has a label of its own";
  EXPECT_THAT(seen, Contains("qwen2.5-1.5b-instruct · Q8_0 · pp512+tg128 · 4 thr · "
                             "Jetson Orin Nano 8 GB"));
}

TEST(Report, WithoutRecordsOnlyEvaluations) {
  Records records = full();
  records.measured.clear();
  const Document document = build(records, {}, options());
  EXPECT_EQ(document.title, "Evaluations");
  EXPECT_THAT(section(document, "quality").tables[0].rows, SizeIs(4));
  EXPECT_THAT(section(document, "speed").tables[0].rows, IsEmpty());
  EXPECT_TRUE(html(document));
  EXPECT_THAT(terminal_text(document), HasSubstr("No cell was measured"));
}

TEST(Report, UnfinishedRunsAndUnreadableRecordsAreSaid) {
  Records records = full();
  records.unreadable = {"s.sqlite: record x: not valid JSON"};
  const Document document =
      build(records, {{.id = records.measured[0].run_id, .n_records = 20}}, options());
  EXPECT_THAT(document.warnings, Contains(HasSubstr("has not finished: 20 records so far")));
  EXPECT_THAT(document.warnings, Contains(HasSubstr("left out: s.sqlite: record x")));
}

constexpr const char* kHostile =
    "</script><img src=x onerror=alert(1)>|a`b*c\x1b[31m\xe2\x80\xae,\"q\"\n=cmd()";

TEST(Report, HostileNamesStayNames) {
  Records records = {{test::fixture_plain(kHostile)}, {}, {}};
  records.measured[0].passport.cpu.model = kHostile;
  records.measured[0].notes = {kHostile};
  records.measured[0].settings.engine = kHostile;
  const Document document = build(records, {}, options());
  const std::string page = html(document).value();
  EXPECT_THAT(page, Not(HasSubstr("<img")));
  // The page has three scripts of its own: nothing ends one of them early.
  const std::string text = script_text(document_json(document));
  EXPECT_THAT(text, Not(HasSubstr("<")));
  EXPECT_EQ(api::parse(text, "data").value(), document_json(document)) << "and it is the same data";
  for (const std::string& plain : {terminal_text(document), markdown(document)}) {
    EXPECT_THAT(plain, AllOf(Not(HasSubstr("\x1b")), Not(HasSubstr("\xe2\x80\xae"))));
  }
  EXPECT_THAT(markdown(document), AllOf(HasSubstr("\\<img"), HasSubstr("\\|a")));
}

TEST(Report, WhereNothingTellsOfThrottlingNothingIsClaimed) {
  measure::Record record = test::fixture_plain("m.gguf");
  const Known<bool> unknown = throttled(record);
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().reason, "no throttle flags on this device, no clock, no thermal zone");
  Records records;
  records.measured = {record};
  const std::string sheet = csv(rows_of(records, options()), {}, options());
  EXPECT_NE(sheet.find("throttled: no throttle flags on this device"), std::string::npos) << sheet;
  record.state.median_hz = 2e9;
  EXPECT_EQ(throttled(record).value(), false);
  record.state = {};
  record.state.throttled = true;
  EXPECT_EQ(throttled(record).value(), true);
}

TEST(Csv, WhatAServerDoesNotTellIsAbsentAndNotZero) {
  measure::Record record = test::fixture_plain("m");
  record.settings.model_hash.clear();
  record.settings.threads = 0;
  record.parameters = record.file_bytes = 0;
  record.bytes_per_token = 0;
  Records records;
  records.measured = {record};
  const std::string sheet = csv(rows_of(records, options()), {}, options());
  for (const char* reason :
       {"threads: the server's own choice", "stated.parameters: the server does not tell",
        "stated.file_bytes: the server does not tell",
        "stated.bytes_per_token: the server does not tell"})
    EXPECT_NE(sheet.find(reason), std::string::npos) << reason << "\n" << sheet;
}

TEST(Csv, OneLinePerRecordAndFormulasAreText) {
  Records records = full();
  records.measured[0].settings.model = "=HYPERLINK(\"http://example.org\")";
  records.measured[1].settings.model = "a,\"b\"";
  const std::string text = csv(rows_of(records, options()), records.quality, options());
  const auto lines = std::count(text.begin(), text.end(), '\n');
  EXPECT_EQ(lines, 1 + static_cast<int>(records.measured.size() + records.quality.size()));
  EXPECT_THAT(text, HasSubstr("\"'=HYPERLINK(\"\"http://example.org\"\")\""));
  EXPECT_THAT(text, HasSubstr("\"a,\"\"b\"\"\""));
  EXPECT_THAT(text, HasSubstr("measured.itl_p99_ms: 1270 gaps of 10 repetitions"));
  EXPECT_THAT(
      text.substr(0, text.find('\n')),
      AllOf(HasSubstr("measured.decode_tokens_per_s"), HasSubstr("modelled.cost_per_response"),
            HasSubstr("predicted.decode_tokens_per_s"), HasSubstr("stated.parameters")));
}

}  // namespace
}  // namespace edgelm::report
