// Who uses which expert: by class, by place in the picture, in pairs, from layer to layer, and how steady it is.
#include <algorithm>
#include <cmath>

#include "trainer/report/number_text.h"
#include "trainer/report/sections/router.h"
#include "trainer/report/sections/section.h"
#include "trainer/report/sections/series.h"
#include "trainer/report/svg/heat_map.h"
#include "trainer/report/svg/row_chart.h"

namespace moefb::report {
namespace {

constexpr size_t kMostClasses = 30;  // rows of a heat map; more would fill the page

/// "layer 5", or of a head "".
std::string layer_text(int64_t layer) {
  return layer < 0 ? "" : "layer " + std::to_string(layer);
}

std::string where_text(const Group& group, int64_t layer) {
  return group.name + (layer < 0 ? "" : ", " + layer_text(layer));
}

/// The group's first run with a study.
const Run* studied(const Group& group) {
  for (const Run* run : group.runs) {
    if (run->routing) return run;
  }
  return nullptr;
}

std::string class_name(const std::vector<std::string>& names, size_t index) {
  return index < names.size() ? names[index] : "class " + std::to_string(index);
}

Csv matrix_csv(const Matrix& matrix, const std::string& row_name, const std::string& column_name,
               const std::vector<std::string>& rows, const std::vector<std::string>& columns) {
  Csv data({row_name, column_name, "share"});
  for (size_t r = 0; r < matrix.rows; ++r) {
    for (size_t c = 0; c < matrix.columns; ++c) data.add({rows[r], columns[c], matrix.at(r, c)});
  }
  return data;
}

size_t largest(const Matrix& matrix) {
  return size_t(std::max_element(matrix.values.begin(), matrix.values.end()) - matrix.values.begin());
}

// ---- classes ----

/// How far a class' distribution lies from the mean of all, as a sum of differences.
double distance_from_mean(const Matrix& matrix, size_t row) {
  double distance = 0;
  for (size_t e = 0; e < matrix.columns; ++e) {
    double mean = 0;
    for (size_t r = 0; r < matrix.rows; ++r) mean += matrix.at(r, e) / double(matrix.rows);
    distance += std::fabs(matrix.at(row, e) - mean);
  }
  return distance;
}

/// Rows to show, in their order: all, or the most particular ones of many.
std::vector<size_t> shown_rows(const Matrix& matrix) {
  std::vector<size_t> rows(matrix.rows);
  for (size_t i = 0; i < rows.size(); ++i) rows[i] = i;
  if (rows.size() <= kMostClasses) return rows;
  std::vector<double> distance;
  for (size_t row = 0; row < matrix.rows; ++row) distance.push_back(distance_from_mean(matrix, row));
  std::stable_sort(rows.begin(), rows.end(), [&](size_t a, size_t b) { return distance[a] > distance[b]; });
  rows.resize(kMostClasses);
  std::sort(rows.begin(), rows.end());
  return rows;
}

Figure class_figure(const Group& group, int64_t layer, const Matrix& matrix, const std::vector<std::string>& names) {
  const std::vector<size_t> rows = shown_rows(matrix);
  HeatMap map;
  map.row_name = "class";
  map.column_name = "expert";
  map.columns = numbered(matrix.columns);
  map.values = {rows.size(), matrix.columns, {}};
  for (const size_t row : rows) {
    map.rows.push_back(class_name(names, row));
    map.values.values.insert(map.values.values.end(), matrix.row(row).begin(), matrix.row(row).end());
  }
  map.full = spread(matrix.values).max;
  const size_t top = largest(matrix);
  map.title = capitalised(where_text(group, layer)) + ": expert " + std::to_string(top % matrix.columns) + " gets " +
              percent(matrix.values[top]) + " of “" + class_name(names, top / matrix.columns) + "”";
  std::vector<std::string> all;
  for (size_t row = 0; row < matrix.rows; ++row) all.push_back(class_name(names, row));
  const std::string note = "Each class' weight on the experts, in %; test pictures, " + group.runs.front()->name + ".";
  const std::string left_out = rows.size() < matrix.rows ? " The " + std::to_string(rows.size()) +
                                                               " classes farthest from the mean; the data has all."
                                                         : "";
  return {"classes-" + slug(where_text(group, layer)),
          map.title,
          note + left_out,
          {},
          draw(map),
          matrix_csv(matrix, "class", "expert", all, map.columns)};
}

/// The layers whose experts know most of the class: the last, and the one with most bits.
std::vector<const LayerRouting*> telling_layers(const RoutingStudy& study) {
  const LayerRouting *last = nullptr, *best = nullptr;
  const auto bits = [](const LayerRouting& layer) { return layer.specialisation ? layer.specialisation->bits : -1; };
  for (const LayerRouting& layer : study.layers) {
    if (layer.class_expert.empty()) continue;
    last = &layer;
    if (best == nullptr || bits(layer) > bits(*best)) best = &layer;
  }
  if (last == nullptr) return {};
  return best == last ? std::vector{last} : std::vector{best, last};
}

void add_classes(const Panel& panel, std::vector<Figure>& figures) {
  for (const Group& group : panel.groups) {
    if (const Run* run = studied(group)) {
      const auto& names = run->routing->class_names.empty() ? run->setup.class_names : run->routing->class_names;
      for (const LayerRouting* layer : telling_layers(*run->routing)) {
        figures.push_back(class_figure(group, layer->layer, layer->class_expert, names));
      }
    } else if (const Run& first = *group.runs.front(); first.test && !first.test->class_expert.empty()) {
      figures.push_back(class_figure(group, -1, first.test->class_expert, first.setup.class_names));
    }
  }
}

// ---- specialisation ----

/// The layer of that index, nullptr where the run has no such study.
const LayerRouting* layer_of(const Run& run, int64_t index) {
  if (!run.routing) return nullptr;
  for (const LayerRouting& layer : run.routing->layers) {
    if (layer.layer == index && layer.specialisation) return &layer;
  }
  return nullptr;
}

double bits_of(const Run& run, int64_t layer, double Specialisation::*field) {
  const LayerRouting* found = layer_of(run, layer);
  return found == nullptr ? kUnknown : (*found->specialisation).*field;
}

/// One layer of one group, over its seeds.
struct Telling {
  const Group* group;
  int64_t layer;
  double at_most;
  Spread bits, chance_mean, chance_p95;
};

std::vector<Telling> tellings_of(const Panel& panel) {
  std::vector<Telling> all;
  for (const Group& group : panel.groups) {
    const Run* first = studied(group);
    if (first == nullptr) continue;
    for (const LayerRouting& layer : first->routing->layers) {
      if (!layer.specialisation) continue;
      const auto values = [&](double Specialisation::*field) {
        return spread_of(group, [&](const Run& run) { return bits_of(run, layer.layer, field); });
      };
      all.push_back({&group, layer.layer, layer.specialisation->at_most, values(&Specialisation::bits),
                     values(&Specialisation::chance_mean), values(&Specialisation::chance_p95)});
    }
  }
  return all;
}

ChartRow telling_row(const Telling& one) {
  ChartRow row;
  row.label = where_text(*one.group, one.layer);
  row.colour = one.group->colour;
  row.value_text = with_spread(one.bits, 2) + " of " + fixed(one.at_most, 2);
  row.bar = one.bits.mean;
  if (one.chance_p95.count > 0) row.reference = one.chance_p95.mean;
  if (one.bits.count > 1) {
    row.dots = values_of(*one.group, [&](const Run& run) { return bits_of(run, one.layer, &Specialisation::bits); });
    std::erase_if(row.dots, [](double value) { return !std::isfinite(value); });
  }
  return row;
}

Csv telling_csv(const std::vector<Telling>& all) {
  Csv data({"group", "run", "layer", "bits", "of_at_most", "chance_mean", "chance_p95", "p_value"});
  for (const Telling& one : all) {
    for (const Run* run : one.group->runs) {
      const LayerRouting* layer = layer_of(*run, one.layer);
      if (layer == nullptr) continue;
      const Specialisation& s = *layer->specialisation;
      data.add({one.group->label, run->name, one.layer, s.bits, s.at_most, s.chance_mean, s.chance_p95, s.p_value});
    }
  }
  return data;
}

void add_specialisation(const Panel& panel, std::vector<Figure>& figures) {
  const std::vector<Telling> all = tellings_of(panel);
  if (all.empty()) return;
  const Telling& most = *std::max_element(all.begin(), all.end(),
                                          [](const Telling& a, const Telling& b) { return a.bits.mean < b.bits.mean; });
  RowChart chart{"", "bits of the class that the expert tells", false, true, {}};
  chart.title = "The expert tells " + fixed(most.bits.mean, 2) + " bits of the class in " +
                where_text(*most.group, most.layer) + "; chance would give " + significant(most.chance_mean.mean, 2);
  for (const Telling& one : all) chart.rows.push_back(telling_row(one));
  const std::string note =
      "Mutual information of class and first expert; dotted line: what 95 % of the shuffled labels stay below.";
  figures.push_back({"specialisation", chart.title, note, {}, draw(chart), telling_csv(all)});
}

// ---- pairs, places, layers ----

void add_coactivation(const Panel& panel, std::vector<Figure>& figures) {
  for (const Group& group : panel.groups) {
    const Run* run = studied(group);
    if (run == nullptr) continue;
    for (const LayerRouting& layer : run->routing->layers) {
      if (layer.coactivation.empty() || group.setup().head == "soft") continue;
      HeatMap map;
      map.row_name = map.column_name = "expert";
      map.values = layer.coactivation;
      map.rows = map.columns = numbered(layer.coactivation.rows);
      // The diagonal is an expert's own load: pairs would drown in it.
      for (size_t e = 0; e < map.values.rows; ++e) map.values.values[e * map.values.columns + e] = kUnknown;
      Matrix pairs = map.values;
      for (double& value : pairs.values) value = std::isfinite(value) ? value : -1;
      const size_t top = largest(pairs);
      map.full = pairs.values[top];
      map.title = capitalised(where_text(group, layer.layer)) + ": experts " + std::to_string(top / pairs.columns) +
                  " and " + std::to_string(top % pairs.columns) + " are the commonest pair, " + percent(map.full) +
                  " of the pictures";
      figures.push_back({"pairs-" + slug(where_text(group, layer.layer)),
                         map.title,
                         "Share of the pictures that use both experts, in %; " + run->name + ".",
                         {},
                         draw(map),
                         matrix_csv(layer.coactivation, "expert", "other", map.rows, map.columns)});
    }
  }
}

/// Expert e's share at each place, as a picture of the grid.
Matrix place_map(const LayerRouting& layer, size_t expert) {
  Matrix map{size_t(layer.grid_rows), size_t(layer.grid_columns), {}};
  for (size_t place = 0; place < layer.position_expert.rows; ++place) {
    map.values.push_back(layer.position_expert.at(place, expert));
  }
  return map;
}

Figure place_figure(const Group& group, const Run& run, const LayerRouting& layer) {
  const Matrix& matrix = layer.position_expert;
  TileMaps maps;
  maps.full = spread(matrix.values).max;
  for (size_t e = 0; e < matrix.columns; ++e) {
    maps.names.push_back("expert " + std::to_string(e));
    maps.tiles.push_back(place_map(layer, e));
  }
  const double bits = mutual_information_bits(matrix.values, matrix.columns);
  maps.title = capitalised(where_text(group, layer.layer)) + ": the place in the picture tells " + fixed(bits, 2) +
               " of " + fixed(std::log2(double(matrix.columns)), 2) + " bits of the expert";
  Csv data({"row", "column", "expert", "share"});
  for (size_t place = 0; place < matrix.rows; ++place) {
    for (size_t e = 0; e < matrix.columns; ++e) {
      data.add({place / size_t(layer.grid_columns), place % size_t(layer.grid_columns), e, matrix.at(place, e)});
    }
  }
  return {"places-" + slug(where_text(group, layer.layer)),
          maps.title,
          "How often each place of the picture goes to the expert; full colour: " + percent(maps.full) + "; " +
              run.name + ".",
          {},
          draw(maps),
          data};
}

void add_places(const Panel& panel, std::vector<Figure>& figures) {
  for (const Group& group : panel.groups) {
    const Run* run = studied(group);
    if (run == nullptr) continue;
    for (const LayerRouting& layer : run->routing->layers) {
      if (!layer.position_expert.empty()) figures.push_back(place_figure(group, *run, layer));
    }
  }
}

void add_transitions(const Panel& panel, std::vector<Figure>& figures) {
  for (const Group& group : panel.groups) {
    const Run* run = studied(group);
    if (run == nullptr) continue;
    for (const Transition& one : run->routing->transitions) {
      if (one.share.empty()) continue;
      HeatMap map;
      map.row_name = "from";
      map.column_name = "to expert of " + layer_text(one.to);
      map.values = one.share;
      map.rows = numbered(one.share.rows);
      map.columns = numbered(one.share.columns);
      map.full = spread(one.share.values).max;
      const size_t top = largest(one.share);
      map.title = capitalised(group.name) + ", layers " + std::to_string(one.from) + " to " + std::to_string(one.to) +
                  ": " + percent(one.share.values[top]) + " of expert " + std::to_string(top / one.share.columns) +
                  "'s places go on to expert " + std::to_string(top % one.share.columns);
      figures.push_back(
          {"transitions-" + slug(group.name + " " + std::to_string(one.from)),
           map.title,
           "Of the places that one layer sent to an expert, the shares of the next layer's experts, in %; " +
               run->name + ".",
           {},
           draw(map),
           matrix_csv(one.share, "from", "to", map.rows, map.columns)});
    }
  }
}

// ---- stability ----

/// The lines of all layers, named by group and layer.
std::vector<Series> stability_lines(const Panel& panel) {
  std::vector<Series> all;
  for (const Group& group : panel.groups) {
    const Run* run = studied(group);
    if (run == nullptr || run->routing->stability.empty()) continue;
    for (const LayerStability& layer : run->routing->stability.front().layers) {
      Series series{where_text(group, layer.layer), run->name, all.size(), Stroke::kBold, {}, {}, true};
      for (const Stability& step : run->routing->stability) {
        for (const LayerStability& one : step.layers) {
          if (one.layer != layer.layer) continue;
          series.x.push_back(double(step.to_epoch));
          series.y.push_back(100 * one.same);
        }
      }
      all.push_back(std::move(series));
    }
  }
  return all;
}

void add_stability(const Panel& panel, std::vector<Figure>& figures) {
  LineChart chart;
  chart.series = stability_lines(panel);
  if (chart.series.empty()) return;
  chart.x_name = "epoch";
  chart.whole_x = true;
  chart.y_name = "same first expert as at the checkpoint before, %";
  std::vector<double> last;
  for (const Series& series : chart.series) last.push_back(series.y.empty() ? kUnknown : series.y.back());
  const Spread range = spread(last);
  const std::string least = fixed(range.min, 0), most = fixed(range.max, 0);
  const std::string share = least == most ? least : least + " to " + most;
  figures.push_back(line_figure("stability",
                                "Between the last two checkpoints " + share + " % of the choices stay the same",
                                "Test pictures; first seed of each model.", std::move(chart)));
}

}  // namespace

void add_routing(const Comparison& comparison, Page& page) {
  page.begin_section("routing", "Routing");
  if (!comparison.any([](const Run& run) { return run.setup.routed(); })) {
    page.missing("None of these networks has a router.");
    return;
  }
  for (const Panel& panel : comparison.panels) {
    std::vector<Figure> figures;
    add_specialisation(panel, figures);
    add_classes(panel, figures);
    add_coactivation(panel, figures);
    add_router_layers(panel, figures);
    add_places(panel, figures);
    add_transitions(panel, figures);
    add_stability(panel, figures);
    if (!figures.empty() && comparison.panels.size() > 1) page.heading(panel.title);
    page.figures(figures);
  }
  if (!comparison.any([](const Run& run) { return run.routing.has_value(); })) {
    page.missing(
        "Specialisation against chance, maps by place, pairs and stability are not there yet: `trainer analyze RUN "
        "routing` measures them.");
  }
}

}  // namespace moefb::report
