// The report's page in a real browser, with the network off: node report_test.mjs MAKE_REPORT WORK
// CHROMIUM. Checks that nothing is asked of the network, no error reaches the console, every plot
// has marks or says why not, text can be read (contrast), and nothing overflows a phone's width, in
// light and dark. Screenshots are left in WORK/screenshots. Exit code 77: no Chromium.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const [makeReport, workGiven, chromiumPath] = process.argv.slice(2);
const work = resolve(workGiven);
if (!chromiumPath || !existsSync(chromiumPath)) {
  console.log('skipped: no Chromium (Debian: apt-get install chromium, or ./dev setup test)');
  process.exit(77);
}
const { chromium } = createRequire(join(work, 'package.json'))('playwright-core');
const shots = join(work, 'screenshots');
mkdirSync(shots, { recursive: true });

const page_of = (kind) => {
  const file = join(work, `${kind}.html`);
  execFileSync(makeReport, [kind, file], { stdio: 'inherit' });
  return file;
};
const files = { full: page_of('full'), plain: page_of('plain'), hostile: page_of('hostile') };

const browser = await chromium.launch({
  executablePath: chromiumPath,
  args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--disable-background-networking'],
});

async function open(kind, { width, height, colorScheme }) {
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme,
    offline: true,
    deviceScaleFactor: 1,
    reducedMotion: 'reduce',
  });
  context.setDefaultTimeout(120_000);  // slow where many tests share few cores
  const page = await context.newPage();
  const problems = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) problems.push(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => problems.push(`exception: ${error}`));
  page.on('request', (request) => {
    if (request.url() !== pathToFileURL(files[kind]).href) problems.push(`request: ${request.url()}`);
  });
  await page.goto(pathToFileURL(files[kind]).href);
  await page.waitForSelector('main section');
  await page.waitForFunction(() => [...document.querySelectorAll('.chart')].every((chart) => chart.querySelector('svg')));
  return { page, problems, close: () => context.close() };
}

// Text whose contrast with what lies behind it is below WCAG AA (4.5, or 3 for large text).
const poorContrast = () => {
  const parse = (text) => {
    const numbers = text.match(/[\d.]+/g)?.map(Number) ?? [0, 0, 0, 0];
    const scale = text.startsWith('color(srgb') ? 255 : 1;
    return [...numbers.slice(0, 3).map((n) => n * scale), numbers[3] ?? 1];
  };
  const luminance = ([r, g, b]) => {
    const linear = [r, g, b].map((v) => ((v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
  };
  const behind = (node) => {
    for (let at = node; at; at = at.parentElement) {
      const color = parse(getComputedStyle(at).backgroundColor);
      if (color[3] > 0.9) return color;
    }
    return [255, 255, 255, 1];
  };
  const poor = new Set();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !element.checkVisibility?.() || element.closest('script, noscript, option')) continue;
    const style = getComputedStyle(element);
    const color = parse(element instanceof SVGElement && style.fill !== 'none' ? style.fill : style.color);
    const [a, b] = [luminance(color), luminance(behind(element))].sort((x, y) => y - x);
    const large = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.6 && style.fontWeight >= 600);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < (large ? 3 : 4.5)) poor.add(`${ratio.toFixed(2)} '${walker.currentNode.data.trim().slice(0, 40)}' <${element.tagName} class=${element.className.baseVal ?? element.className}>`);
  }
  return [...poor];
};

const views = [
  { name: 'light', width: 1280, height: 900, colorScheme: 'light' },
  { name: 'dark', width: 1280, height: 900, colorScheme: 'dark' },
  { name: 'phone-light', width: 390, height: 844, colorScheme: 'light' },
  { name: 'phone-dark', width: 390, height: 844, colorScheme: 'dark' },
];

let passed = 0;
let failed = 0;
async function test(name, body) {
  try {
    await body();
    ++passed;
  } catch (error) {
    ++failed;
    console.error(`FAILED ${name}\n${error.message ?? error}`);
  }
}

for (const kind of Object.keys(files)) {
  for (const view of views) {
    await test(`${kind} ${view.name}`, async () => {
      const { page, problems, close } = await open(kind, view);
      await page.screenshot({ path: join(shots, `${kind}-${view.name}.png`), fullPage: true });
      const found = await page.evaluate(() => ({
        overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
        sections: document.querySelectorAll('main > section').length,
        unlabelled: [...document.querySelectorAll('.chart svg[class*="plot"], .chart figure svg')].filter((svg) => !svg.getAttribute('aria-label') && !svg.closest('[class*="swatch"], [class*="legend"]')).length,
        ids: [...document.querySelectorAll('[id]')].map((node) => node.id),
        broken: window.broken,
        figures: [...document.querySelectorAll('figure[id]')].map((figure) => ({
          id: figure.id,
          marks: figure.querySelectorAll('.chart svg [aria-label] :is(path, rect, circle, line)').length,
          wide: [...figure.querySelectorAll('.chart > *')].some((node) => node.getBoundingClientRect().right > document.documentElement.clientWidth),
          empty: figure.querySelector('.empty')?.textContent ?? '',
        })),
      }));
      assert.deepEqual(problems, [], 'problems');
      assert.equal(found.broken, undefined, 'a name from a record ran as code');
      assert.equal(found.overflow, 0, `the page is ${found.overflow} px wider than the screen`);
      assert.equal(found.sections, 10);
      assert.equal(new Set(found.ids).size, found.ids.length, 'an id twice');
      assert.equal(found.figures.length, 8);
      for (const figure of found.figures) {
        assert.ok(figure.marks > 2 || figure.empty.length > 20, `${figure.id}: ${figure.marks} marks and no reason`);
        assert.ok(!figure.wide, `${figure.id} is wider than the screen`);
        if (kind === 'full') assert.ok(figure.marks > 2, `${figure.id}: no marks, '${figure.empty}'`);
      }
      if (kind === 'plain') {
        const energy = found.figures.find((figure) => figure.id === 'tradeoff');
        assert.match(energy.empty, /Energy n\/a: no power sensor on this device/);
      }
      assert.deepEqual(await page.evaluate(poorContrast), [], 'contrast');
      await close();
    });
  }
}

await test('what the page lets one do', async () => {
  const { page, problems, close } = await open('full', views[0]);
  const table = page.locator('h3#speed-table + p + .scroll');
  const first = () => table.locator('tbody tr').first().innerText();
  const before = await first();
  await table.locator('th button', { hasText: 'decode' }).first().click();
  assert.notEqual(await first(), before, 'sorting changes the first row');
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await ground();
  await page.getByRole('button', { name: 'Switch between light and dark' }).click();
  assert.notEqual(await ground(), light, 'the button switches to dark');
  await page.locator('#time-line select').selectOption({ index: 4 });
  await page.waitForFunction(() => document.querySelectorAll('#time-line .chart svg').length >= 3);
  const phases = await page.evaluate(() => ({
    named: [...document.querySelectorAll('#time-line .chart svg [aria-label="text"] text')].map((text) => text.textContent),
    shaded: [...document.querySelectorAll('#time-line .chart svg [aria-label="rect"]')].map((mark) => mark.children.length),
    listed: [...document.querySelectorAll('#time-line details td:first-child')].filter((cell) => cell.textContent === 'phase').length,
  }));
  assert.ok(phases.named.includes('prefill') && phases.named.includes('decode'), `phases named: ${phases.named}`);
  assert.deepEqual(phases.shaded, [8, 8, 8], 'power, clock and temperature on the eight phases');
  assert.equal(phases.listed, 8, 'the phases in the table');
  await page.locator('#tradeoff summary').click();
  assert.ok((await page.locator('#tradeoff details tbody tr').count()) > 10, 'the plot as a table');
  const dot = page.locator('#threads .chart svg [aria-label="dot"] :is(path, circle)').first();
  await dot.hover({ force: true });
  await page.waitForSelector('#threads .chart svg [aria-label="tip"] text');
  assert.deepEqual(problems, []);
  await page.emulateMedia({ media: 'print' });
  await page.screenshot({ path: join(shots, 'full-print.png'), fullPage: true });
  await close();
});

await browser.close();
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
