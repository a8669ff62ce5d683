// One function per kind of plot: a panel of the report's data in, SVG made by Observable Plot out.
// Colours are told apart by shape as well.
import * as Plot from '@observablehq/plot';

const light = ['#3454d1', '#c2410c', '#0f766e', '#a21caf', '#946000', '#be123c', '#4d7c0f', '#475569'];
const dark = ['#8ea6ff', '#fb923c', '#2dd4bf', '#e879f9', '#facc15', '#fb7185', '#a3e635', '#cbd5e1'];

// Shapes that are told apart hollow and filled.
const shapes = ['circle', 'square', 'triangle', 'diamond', 'star', 'wye', 'cross', 'square2'];

const compact = new Intl.NumberFormat('en-US', { notation: 'compact', maximumSignificantDigits: 3 });
const figures = new Intl.NumberFormat('en-US', { maximumSignificantDigits: 4 });
const short = (value) => (Math.abs(value) >= 10000 ? compact : figures).format(value);
const bytes = (value) => {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) [value, unit] = [value / 1024, unit + 1];
  return `${figures.format(Number(value.toPrecision(3)))} ${units[unit]}`;
};

const flat = (panel) =>
  panel.series.flatMap((series) => series.points.map((point) => ({ ...point, series: series.name, origin: series.origin })));
const ranged = (points) => points.filter((point) => point.low !== undefined);
const named = (point) => [point.series, point.label].filter(Boolean).join(' · ');

// What all plots share. `more` overrides; scales are merged one by one.
function base(plot, panel, { width, dark: isDark }, more) {
  const names = panel.series.filter(({ kind }) => kind !== 'meet' && kind !== 'event').map(({ name }) => name);
  const { x = {}, y = {}, color, symbol, ...rest } = more;
  return {
    width,
    height: Math.round(Math.min(380, Math.max(250, width * 0.62))),
    marginLeft: 54,
    marginTop: 26,
    marginRight: 18,
    marginBottom: 42,
    ariaLabel: `${plot.title}. ${panel.title}`,
    ariaDescription: `${plot.caption} The same figures follow as a table.`,
    style: { background: 'transparent', color: 'currentColor', fontFamily: 'inherit', fontSize: '12px' },
    x: { label: plot.x_label, labelAnchor: 'center', labelArrow: 'none', tickFormat: short, ticks: width / 80, grid: true, ...x },
    y: { label: panel.y_label || plot.y_label, labelArrow: 'none', tickFormat: short, ticks: 6, grid: true, ...y },
    color: { domain: names, range: names.map((_, i) => (isDark ? dark : light)[i % light.length]), ...color },
    symbol: { domain: names, range: names.map((_, i) => shapes[i % shapes.length]), ...symbol },
    ...rest,
  };
}

// The plot below its key: colours, with the marks' shapes where there are marks. A single series
// that is called as its panel needs none.
function show(options, panel, { symbols = false } = {}) {
  const made = Plot.plot(options);
  const key = Plot.legend({
    ...(symbols ? { symbol: { ...options.symbol, legend: true }, color: options.color, fill: 'color' } : { color: { ...options.color, type: 'ordinal' } }),
    style: { fontFamily: 'inherit', fontSize: '12px', background: 'transparent' },
  });
  return panel.series.length > 1 || panel.series[0].name !== panel.title ? [key, made] : [made];
}

const tip = (points, options, more = {}) =>
  Plot.tip(points, Plot.pointer({ fill: options.dark ? '#18212f' : '#ffffff', stroke: 'currentColor', strokeOpacity: 0.3, ...more }));

const interval = (point, format = short) =>
  point.low === undefined ? '' : `\n95 %: ${format(point.low)} – ${format(point.high)}`;

function scatter(plot, panel, options, { x = {}, y = {}, marks = [], text = short } = {}) {
  const points = flat(panel);
  const about = (point) =>
    `${named(point)}\n${plot.x_label}: ${(x.format ?? short)(point.x)}\n${plot.y_label}: ${text(point.y)}${interval(point, text)}\n${point.origin}`;
  const { format, ...scaleX } = x;
  const setting = base(plot, panel, options, {
    x: { zero: !scaleX.type, nice: true, ...(format ? { tickFormat: format } : {}), ...scaleX },
    y: { nice: true, ...y },
    marks: [
      ...marks,
      Plot.ruleX(ranged(points), { x: 'x', y1: 'low', y2: 'high', stroke: 'series', strokeOpacity: 0.6 }),
      Plot.dot(points, { filter: (p) => !p.flag, x: 'x', y: 'y', stroke: 'series', symbol: 'series', r: 4.5, strokeWidth: 1.6 }),
      Plot.dot(points, { filter: (p) => p.flag, x: 'x', y: 'y', stroke: 'series', fill: 'series', symbol: 'series', r: 5.5 }),
      tip(points, options, { x: 'x', y: 'y', title: about }),
    ],
  });
  return show(setting, panel, { symbols: true });
}

// Digits times powers of ten within the domain: as many as `most` allows, and as get a label (d3 labels fewer
// digits the more decades there are: 100 over the number of its own ticks, nine in a decade).
function logTicks([low, high], most) {
  const labelled = 100 / (9 * Math.log10(high / low) + 1);
  const inside = (digits) => {
    const all = [];
    for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); ++power) {
      all.push(...digits.map((digit) => digit * 10 ** power));
    }
    return all.filter((tick) => tick >= low && tick <= high);
  };
  const choices = [[1, 2, 5], [1, 3], [1]].filter((digits) => digits.at(-1) <= labelled).map(inside);
  const ticks = choices.find((all) => all.length <= most) ?? choices.at(-1).filter((_, i) => i % 2 === 0);
  return ticks.length < 2 ? most : ticks;  // within less than a decade d3's own are even
}

// From zero, or logarithmic where that would press the small values into the axis: models of one
// table differ a hundredfold in size.
function amounts(values, ticks, label) {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  if (!(low > 0) || high / low <= 12) return { zero: true, nice: true };
  const domain = [low * 0.8, high * 1.25];
  return { type: 'log', domain, ticks: logTicks(domain, ticks), nice: false, label: `${label}, logarithmic` };
}
const valuesAndRange = (point) => [point.y, point.low ?? point.y, point.high ?? point.y];

// Throughput against energy: the points that no other beats in both are filled and joined.
function tradeoff(plot, panel, options) {
  const points = flat(panel);
  const front = points.filter((point) => point.flag).sort((a, b) => a.x - b.x);
  return scatter(plot, panel, options, {
    x: amounts(points.map((point) => point.x), options.width / 75, plot.x_label),
    y: amounts(points.flatMap(valuesAndRange), 7, panel.y_label || plot.y_label),
    marks: [
      Plot.line(front, { x: 'x', y: 'y', stroke: 'currentColor', strokeOpacity: 0.55, strokeDasharray: '5 4', curve: 'linear' }),
      ...[0, 1].map((odd) =>
        Plot.text(front.filter((_, i) => i % 2 === odd), { x: 'x', y: 'y', text: 'label', dy: odd ? 14 : -12, fontSize: 11, fill: 'currentColor', stroke: options.dark ? '#0f1622' : '#ffffff', strokeWidth: 3 }),
      ),
    ],
  });
}

function memory(plot, panel, options) {
  const stacked = panel.series.filter((series) => series.kind === 'stack');
  const points = flat({ series: stacked });
  const dots = flat({ series: panel.series.filter((series) => series.kind !== 'stack') });
  const about = (point) => `${point.series}\n${plot.x_label}: ${point.x.toLocaleString('en-US')}\n${bytes(point.y)} ${point.flag ? 'predicted: in proportion' : point.origin}`;
  const largest = Math.max(...dots.map((d) => d.y), 1, ...[...new Set(points.map((p) => p.x))].map((at) => points.filter((p) => p.x === at).reduce((sum, p) => sum + p.y, 0)));
  const unit = 1024 ** Math.floor(Math.log2(largest) / 10);
  const setting = base(plot, panel, options, {
    marginLeft: 70,
    x: { type: 'band', tickFormat: (v) => v.toLocaleString('en-US'), grid: false, padding: 0.25 },
    y: { tickFormat: (v) => bytes(v), nice: false, ticks: niceTicks(largest, unit), domain: [0, largest * 1.06] },
    marks: [
      Plot.barY(points, { x: 'x', y: 'y', fill: 'series', fillOpacity: (p) => (p.flag ? 0.45 : 1), order: stacked.map((s) => s.name), title: about, tip: { fill: options.dark ? '#18212f' : '#ffffff' } }),
      Plot.dot(dots, { x: 'x', y: 'y', stroke: 'series', fill: options.dark ? '#0f1622' : '#ffffff', symbol: 'diamond', r: 6, strokeWidth: 2, title: about }),
      Plot.ruleY([0]),
    ],
  });
  return show(setting, panel);
}

function niceTicks(largest, unit) {
  const rough = largest / unit / 5;
  const power = 2 ** Math.round(Math.log2(rough));
  const ticks = [];
  for (let at = 0; at * unit <= largest * 1.06; at += power) ticks.push(at * unit);
  return ticks;
}

function threads(plot, panel, options) {
  const points = flat(panel);
  const counts = [...new Set(points.map((point) => point.x))].sort((a, b) => a - b);
  const about = (point) => `${point.series}\n${point.x} ${point.x === 1 ? 'thread' : 'threads'}: ${short(point.y)} tokens/s${interval(point)}`;
  const setting = base(plot, panel, options, {
    x: { type: 'point', domain: counts, tickFormat: String, padding: 0.4 },
    y: amounts(points.flatMap(valuesAndRange), 7, panel.y_label || plot.y_label),
    marks: [
      Plot.line(points, { x: 'x', y: 'y', stroke: 'series', strokeWidth: 2, sort: 'x' }),
      Plot.ruleX(ranged(points), { x: 'x', y1: 'low', y2: 'high', stroke: 'series', strokeWidth: 1.5 }),
      Plot.dot(points, { x: 'x', y: 'y', stroke: 'series', fill: 'series', symbol: 'series', r: 4 }),
      tip(points, options, { x: 'x', y: 'y', title: about }),
    ],
  });
  return show(setting, panel, { symbols: true });
}

const level = (panel) => (panel.level === undefined ? [] : [panel.level]);
const guessing = (panel) => [
  Plot.ruleY(level(panel), { stroke: 'currentColor', strokeDasharray: '3 4', strokeOpacity: 0.7 }),
  Plot.text(level(panel), { y: (d) => d, frameAnchor: 'right', text: () => 'guessing', dy: -7, fontSize: 11 }),
];

// A logarithmic axis of bytes with ticks at powers of two.
function byteAxis(panel, width) {
  const sizes = flat(panel).map((point) => point.x);
  const low = Math.floor(Math.log2(Math.min(...sizes)) - 0.2);
  const high = Math.ceil(Math.log2(Math.max(...sizes)) + 0.2);
  const step = Math.ceil((high - low) / Math.max(2, width / 90));
  const ticks = [];
  for (let power = low; power <= high; power += step) ticks.push(2 ** power);
  return { type: 'log', base: 2, format: bytes, ticks, nice: false, domain: [2 ** low, 2 ** high] };
}

const qualitySize = (plot, panel, options) =>
  scatter(plot, panel, options, { x: byteAxis(panel, options.width), marks: guessing(panel) });
const qualityEnergy = (plot, panel, options) => scatter(plot, panel, options, { marks: guessing(panel) });

// Both axes alike, so that the distance from the diagonal is the error.
function prediction(plot, panel, options) {
  const points = flat(panel);
  const all = points.flatMap((p) => [p.x, p.y, p.low ?? p.y, p.high ?? p.y]).filter((v) => v > 0);
  const domain = [Math.min(...all) * 0.8, Math.max(...all) * 1.25];
  const band = domain.map((v) => ({ x: v, low: v * 0.85, high: v * 1.15 }));
  return scatter(plot, panel, options, {
    x: { type: 'log', domain, ticks: logTicks(domain, options.width / 75), nice: false },
    y: { type: 'log', domain, ticks: logTicks(domain, 7), nice: false },
    marks: [
      Plot.areaY(band, { x: 'x', y1: 'low', y2: 'high', fill: 'currentColor', fillOpacity: 0.09, clip: true }),
      Plot.line(domain, { x: (d) => d, y: (d) => d, stroke: 'currentColor', strokeOpacity: 0.6 }),
    ],
  });
}

function cost(plot, panel, options) {
  const points = flat(panel);
  const lines = points.filter((point) => !point.flag);
  const meets = points.filter((point) => point.flag);
  const dashed = new Set(panel.series.filter(({ kind }) => kind === 'dash').map(({ name }) => name));
  const setting = base(plot, panel, options, {
    x: { type: 'log', ticks: Math.max(3, options.width / 130), tickFormat: (v) => compact.format(v) },
    y: { type: 'log', ticks: 5, tickFormat: short },
    marks: [
      Plot.line(lines, { filter: (p) => !dashed.has(p.series), x: 'x', y: 'y', stroke: 'series', strokeWidth: 2 }),
      Plot.line(lines, { filter: (p) => dashed.has(p.series), x: 'x', y: 'y', stroke: 'series', strokeWidth: 2, strokeDasharray: '6 4' }),
      Plot.dot(meets, { x: 'x', y: 'y', fill: 'currentColor', r: 4 }),
      Plot.text(meets, { x: 'x', y: 'y', text: (p) => compact.format(p.x), dy: -12, fontSize: 11, fill: 'currentColor', stroke: options.dark ? '#0f1622' : '#ffffff', strokeWidth: 3 }),
      tip(points, options, { x: 'x', y: 'y', title: (p) => `${named(p)}\n${compact.format(p.x)} tokens: ${short(p.y)} ${panel.unit ?? ''}\n${p.origin}` }),
    ],
  });
  return show(setting, panel);
}

// What is counted has a colour, the rest is grey: indices into the colours, which lines of a time line do not use.
const uncounted = 'first runs, probe, warm-up';
const phaseKinds = { 'first runs': uncounted, probe: uncounted, 'warm-up': uncounted, 'idle before': 'idle', 'idle after': 'idle' };
const phaseColours = { load: 4, [uncounted]: 7, prefill: 3, decode: 6 };
const phaseKind = (name) => phaseKinds[name] ?? name;
const phaseColour = (name, isDark) => (isDark ? dark : light)[phaseColours[phaseKind(name)]] ?? (isDark ? '#3d495c' : '#d3d9e1');

// The phases of a cell as a strip, each with its name where there is room for it.
function phases(plot, panel, domain, options) {
  const perSecond = (options.width - 72) / (domain[1] - domain[0]);
  const shown = panel.spans.map((span) => ({ ...span, y: 'phase', room: (span.end - span.begin) * perSecond }));
  const keys = [...new Set(shown.map((span) => phaseKind(span.name)))];
  const fits = (span) => span.room > 7 * span.name.length + 6;
  const strip = Plot.plot(
    base(plot, { ...panel, series: [] }, options, {
      ariaLabel: `Phases. ${panel.title}`,
      height: 30,
      marginTop: 6,
      marginBottom: 2,
      x: { domain, axis: null, grid: false },
      y: { domain: ['phase'], axis: null, grid: false, type: 'band' },
      marks: [
        Plot.barX(shown, {
          x1: 'begin', x2: 'end', y: 'y', fill: (d) => phaseColour(d.name, options.dark), fillOpacity: 0.35,
          insetLeft: 0.5, insetRight: 0.5, title: (d) => `${d.name}: ${short(d.begin)} – ${short(d.end)} s`,
        }),
        Plot.text(shown, { filter: fits, x: (d) => (d.begin + d.end) / 2, y: 'y', text: 'name', fontSize: 11 }),
      ],
    }),
  );
  // A key of all of them when one found no room for its name.
  const key = Plot.legend({
    color: { type: 'ordinal', domain: keys, range: keys.map((kind) => phaseColour(kind, options.dark)) },
    opacity: 0.5,
    style: { fontFamily: 'inherit', fontSize: '12px', background: 'transparent' },
  });
  return shown.every(fits) ? [strip] : [key, strip];
}

// Power, clock and temperature over one axis of time, each with its own scale, on the phases.
function timeline(plot, panel, options) {
  const spans = panel.spans ?? [];
  const times = [...flat(panel).map((p) => p.x), ...spans.flatMap((span) => [span.begin, span.end])];
  const domain = [Math.min(...times), Math.max(...times)];
  const palette = options.dark ? dark : light;
  const during = (x) => spans.find((span) => span.begin <= x && x <= span.end)?.name;
  const lanes = panel.series
    .filter((series) => series.kind !== 'event')
    .map((series, i, shown) => {
      const last = i === shown.length - 1;
      const events = panel.series.filter((s) => s.kind === 'event').flatMap((s) => s.points);
      const setting = base(plot, { ...panel, series: [series], y_label: series.name }, options, {
        height: last ? 150 : 118,
        marginBottom: last ? 40 : 14,
        x: { domain, label: last ? plot.x_label : null, ...(last ? {} : { tickFormat: () => '' }) },
        y: { ticks: 3, nice: true, zero: series.kind === 'area' },
        marks: [
          Plot.rect(spans, { x1: 'begin', x2: 'end', fill: (d) => phaseColour(d.name, options.dark), fillOpacity: 0.13 }),
          ...(series.kind === 'area' ? [Plot.areaY(series.points, { x: 'x', y: 'y', fill: palette[i], fillOpacity: 0.18 })] : []),
          Plot.line(series.points, { x: 'x', y: 'y', stroke: palette[i], strokeWidth: 1.6 }),
          Plot.ruleX(events, { x: 'x', stroke: palette[5], strokeWidth: 1.5, title: 'label' }),
          Plot.tip(series.points, Plot.pointerX({ x: 'x', y: 'y', fill: options.dark ? '#18212f' : '#ffffff', title: (p) => [`${short(p.x)} s: ${short(p.y)}`, during(p.x)].filter(Boolean).join('\n') })),
        ],
      });
      return Plot.plot(setting);
    });
  return spans.length ? [...phases(plot, panel, domain, options), ...lanes] : lanes;
}

const kinds = { tradeoff, memory, threads, quality_size: qualitySize, quality_energy: qualityEnergy, prediction, cost, timeline };

// The elements of one panel.
export function draw(plot, panel, options) {
  return kinds[plot.kind](plot, panel, options);
}
