// Opens every YCM dashboard of a Grafana in headless Chromium, checks every panel, and takes a screenshot of each dashboard.
//
//   node panels.mjs FOLDER [UID...]     pictures go into FOLDER; without UIDs all dashboards with the tag ycm are opened
//
// From the environment: GRAFANA_URL (http://127.0.0.1:3000), CHROMIUM (else one from the PATH), FROM (how far the dashboards
// look back, such as now-15m; else as far as there is data, if that is less than 6 hours), WEEK=1 where there is a week of data
// for all but the exporter itself, ACCOUNT and PBX (its id) for the PBX to show, LENIENT=1 to accept a panel that
// is empty but shows so in words of its own, ALL_PICTURES=1 for screenshots of the odd cases below as well, WIDTHS (in pixels,
// separated by commas: further pictures of each dashboard, as narrow as that), SETTLE (how many milliseconds a page must be
// quiet before it is judged, 2000).
//
// A query over a time range whose steps are longer than Prometheus has been running has nothing to draw yet: it is sent
// again for the present moment and must give data there. A comparison with last week must only be answered.
//
// The PBX dashboard is opened for the PBX with most series, where every panel must have data; for the one with fewest, where a
// panel may say "none" but must not fail; and for the one with the oddest name. The overview is opened
// again for the regions and for the groups with odd names, and must count exactly the PBXs that are there; and once for a
// narrow window.
//
// Without data STATE names what is wrong, and PROMETHEUS_URL the Prometheus to query. Panels may then be
// empty, but the banner must show the text in FIRST, and no tile may be green but those of the dashboards and
// titles in GREEN (separated by commas; "any": all).
import { chromium } from 'playwright-core';
import fs from 'node:fs';
import path from 'node:path';

const grafana = process.env.GRAFANA_URL ?? 'http://127.0.0.1:3000';
const settle = Number(process.env.SETTLE ?? 2000);
const [folder, ...only] = process.argv.slice(2);
if (!folder) {
  console.error('usage: node panels.mjs FOLDER [UID...]');
  process.exit(2);
}

const state = process.env.STATE;
const green = (process.env.GREEN ?? 'any').split(',');
// What may be empty in a fleet without trouble, or with little history.
const mayBeEmpty = new Set(['API not responding', 'Projected exhaustion', 'Unexpected data', 'Writes failed', 'Alerts', 'PBXs not running',
  'PBXs with phones offline', 'Phones not supported by the newest firmware', 'Unsupported phones by region and model', 'Most more calls than last week', 'Most fewer calls than last week',
  'Busy hour', 'Licences left', 'Candidates for more capacity', 'Candidates for less capacity', 'Outages', 'Alerts of this PBX',
  'Also not running in its region', 'Near capacity', 'Outdated backups', 'Expiring soon', 'Expired', 'Not activated', 'Trunks down', 'Firmware updates',
  // Availability is recorded once an hour.
  'Availability', 'Month to date', 'Month to date: worst twenty PBXs', 'Worst twenty PBXs', 'PBXs below target', 'Time without data',
  'Availability by account', 'Availability by region', 'Availability by group', 'Availability per day, by region']);
const flags = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync'];

// browserPath finds a browser: this script never downloads one.
function browserPath() {
  if (process.env.CHROMIUM) return process.env.CHROMIUM;
  const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
  for (const dir of (process.env.PATH ?? '').split(path.delimiter)) {
    for (const name of names) {
      if (fs.existsSync(path.join(dir, name))) return path.join(dir, name);
    }
  }
  console.error('No Chromium in the PATH: install it (Debian: apt-get install chromium) or set CHROMIUM.');
  process.exit(2);
}

async function api(route, body) {
  const answer = await fetch(grafana + route, body && {
    method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${route}: ${answer.status} ${(await answer.text()).slice(0, 300)}`);
  return answer.json();
}

// source is the data source that is looked at: in a bad state one of its own, which is made for it.
async function dataSource() {
  const all = await api('/api/datasources');
  if (!state) return all.find((d) => d.type === 'prometheus');
  return all.find((d) => d.name === state) ?? (await api('/api/datasources', {
    name: state, uid: state, type: 'prometheus', access: 'proxy', url: process.env.PROMETHEUS_URL,
    jsonData: { httpMethod: 'POST', timeInterval: '15s', prometheusType: 'Prometheus', prometheusVersion: '2.50.1' },
  })).datasource;
}

// series queries Prometheus, through Grafana, and returns the labels of each series.
async function series(expr) {
  const answer = await api('/api/ds/query', {
    from: 'now-5m', to: 'now',
    queries: [{ refId: 'A', datasource: { type: 'prometheus', uid: source.uid }, expr, instant: true }],
  });
  return answer.results.A.frames.filter((f) => f.data?.values?.length)
    .map((f) => ({ ...f.schema.fields.at(-1).labels, value: f.data.values.at(-1)[0] }));
}

// lookBack is how far the dashboards shall look back: a day of which only the last minutes have data makes no good screenshot.
async function lookBack() {
  if (process.env.FROM) return process.env.FROM;
  const [age] = await series('time() - min(min_over_time(timestamp(ycm_exporter_build_info)[6h:1m]))');
  if (!age) throw new Error('Prometheus has not scraped the exporter yet.');
  return age.value < 5.9 * 3600 ? `now-${Math.max(5, Math.ceil(age.value / 60))}m` : undefined;
}

// byData selects the PBX with most or fewest kinds of series.
function byData(select) {
  return `${select}(1, count by (account, cloud_pbx_id, region) (count by (account, cloud_pbx_id, region, __name__) ` +
    '({__name__=~"ycm_cloud_pbx_.+", cloud_pbx_id!=""})))';
}

// oddity counts the characters that may mean something in PromQL, in regular expressions or in URLs.
const oddity = (text) => (text.match(/[^a-z0-9 ]/gi) ?? []).length;

// odd is the values of a label of the fleet that have such characters, with how many PBXs there are of each. A value with a
// backtick or a line break cannot be chosen alone.
async function odd(label) {
  const values = await series(`count by (${label}) (ycm_cloud_pbx_info)`);
  return values.filter((v) => oddity(v[label] ?? '') > 0 && !/[`\n]/.test(v[label]));
}

// visits lists which dashboards to open with which variables, and what to expect there.
async function visits() {
  const found = (await api('/api/search?type=dash-db&tag=ycm')).map((d) => d.uid).sort();
  const all = found.filter((uid) => !only.length || only.includes(uid)).map((uid) => ({ uid, name: uid, query: {} }));
  if (!all.length) throw new Error('Grafana has no such dashboard with the tag ycm.');

  const detail = all.find((v) => v.uid === 'ycm-pbx');
  if (state) {
    for (const v of all) v.lenient = true;
    const [pbx] = await series('topk(1, last_over_time(ycm_cloud_pbx_extensions_used[10m]))');
    if (detail && pbx) detail.query = { 'var-account': pbx.account, 'var-pbx': pbx.cloud_pbx_id };
    return all;
  }
  if (detail) {
    const [most] = process.env.PBX ? [{ account: process.env.ACCOUNT, cloud_pbx_id: process.env.PBX }] : await series(byData('topk'));
    const [least] = await series(byData('bottomk'));
    if (!most || !least) throw new Error('Prometheus has no PBX yet.');
    const names = await series('group by (account, cloud_pbx_id, name) (ycm_cloud_pbx_info)');
    const oddest = names.sort((a, b) => oddity(b.name) - oddity(a.name))[0];
    const of = (pbx) => ({ 'var-account': pbx.account, 'var-pbx': pbx.cloud_pbx_id });
    detail.query = of(most);
    all.push({ uid: 'ycm-pbx', name: 'ycm-pbx-least-data', query: of(least), lenient: true });
    all.push({ uid: 'ycm-pbx', name: 'ycm-pbx-odd-name', query: of(oddest), lenient: true, text: oddest.name });
  }
  if (all.some((v) => v.uid === 'ycm-fleet')) {
    all.push({ uid: 'ycm-fleet', name: 'ycm-fleet-narrow', query: {}, lenient: true, width: 800 });
    for (const label of ['region', 'group']) {
      const values = await odd(label);
      const pbxs = values.reduce((sum, v) => sum + v.value, 0);
      if (pbxs) all.push({ uid: 'ycm-fleet', name: `ycm-fleet-odd-${label}s`, query: { [`var-${label}`]: values.map((v) => v[label]) }, lenient: true, pbxs });
    }
  }
  return all;
}

// folded is the height of the panels of a collapsed row.
const folded = (row) => (row.collapsed ? Math.max(...row.panels.map((p) => p.gridPos.y + p.gridPos.h)) - row.gridPos.y : 0);

// count is the number of series that a query's answer draws: frames with values, or rows of a table.
function count(result) {
  let n = 0;
  for (const frame of result.frames ?? []) {
    const rows = frame.data?.values?.[0]?.length ?? 0;
    const labelled = (frame.schema?.fields ?? []).filter((f) => f.type === 'string').length > 0;
    n += labelled ? rows : Math.min(rows, 1);
  }
  return n;
}

// bodyOf reads an answer. The browser keeps only so many, and lets old ones go: what it has let go is requested again.
async function bodyOf(response) {
  try {
    return await response.json();
  } catch (e) {
    if (!/evicted|No resource with given identifier|No data found/.test(e)) throw e;
    return api('/api/ds/query', response.request().postDataJSON());
  }
}

// tooEarly reports whether a query over a time range is empty only because its steps are longer than the data is old.
async function tooEarly(query) {
  if (!query?.range) return false;
  if (/ offset 1w/.test(query.expr)) return true;
  const answer = await api('/api/ds/query', {
    from: 'now-5m', to: 'now', queries: [{ ...query, range: false, instant: true, format: 'time_series' }],
  });
  return count(answer.results[query.refId]) > 0;
}

// visit opens a dashboard, waits until every panel has its answers, and judges each of them, and the links to the PBXs in ids.
async function visit(context, ids, from, { uid, name, query, lenient, text: expected, pbxs, width = 1600 }) {
  const { dashboard } = await api(`/api/dashboards/uid/${uid}`);
  const panels = dashboard.panels.flatMap((p) => (p.type === 'row' ? p.panels ?? [] : [p]));
  // Tall enough for Grafana to load every panel at once: a grid unit is 38 pixels.
  const height = 200 + 38 * Math.max(...panels.map((p) => p.gridPos.y + p.gridPos.h)) + 38 * dashboard.panels.reduce((sum, p) => sum + folded(p), 0);
  const page = await context.newPage();
  await page.setViewportSize({ width, height });

  const broken = [];
  const answers = new Map(panels.map((p) => [p.id, { results: {}, errors: [], queries: {}, values: {} }]));
  const underWay = new Set();
  let quietSince = Date.now();
  const ended = (request) => { underWay.delete(request); quietSince = Date.now(); };
  page.on('pageerror', (e) => broken.push(String(e).slice(0, 300)));
  page.on('request', (r) => { if (r.url().includes('/api/')) underWay.add(r); });
  page.on('requestfailed', ended);
  page.on('response', async (r) => {
    try {
      if (r.url().includes('/api/datasources/') && !r.ok()) broken.push(`variable: ${r.status()} ${decodeURIComponent(r.url()).slice(0, 300)}`);
      const answer = answers.get(Number(r.request().headers()['x-panel-id']));
      if (!answer || !r.url().includes('/api/ds/query')) return;
      for (const q of r.request().postDataJSON()?.queries ?? []) answer.queries[q.refId] = q;
      for (const [ref, result] of Object.entries((await bodyOf(r)).results ?? {})) {
        answer.values[ref] = result.frames?.[0]?.data?.values?.at(-1)?.[0];
        if (result.error) answer.errors.push(`${ref}: ${result.error.slice(0, 300)}`);
        answer.results[ref] = Math.max(answer.results[ref] ?? 0, count(result));
      }
      if (!r.ok() && !answer.errors.length) answer.errors.push(`status ${r.status()}`);
    } catch (e) {
      broken.push(String(e).slice(0, 200));
    } finally {
      ended(r.request());
    }
  });
  const answered = () => panels.every((p) => !p.targets?.length || p.targets.every((t) => t.refId in answers.get(p.id).results) || answers.get(p.id).errors.length);

  const url = new URL(`/d/${uid}`, grafana);
  for (const [key, value] of Object.entries(query)) for (const v of [value].flat()) url.searchParams.append(key, v);
  url.searchParams.set('var-datasource', source.uid);
  if (uid === 'ycm-wallboard') url.searchParams.set('kiosk', '1');
  if (from && (uid === 'ycm-exporter' || !process.env.WEEK)) {
    url.searchParams.set('from', from);
    url.searchParams.set('to', 'now');
  }
  await page.goto(String(url), { waitUntil: 'load', timeout: 120_000 });
  // Panels of a collapsed row are loaded when it is opened.
  const rows = page.locator('.dashboard-row--collapsed .dashboard-row__title');
  for (let n = dashboard.panels.filter((p) => p.collapsed).length; n > 0; n--) await rows.last().click({ timeout: 60_000 });
  const until = Date.now() + 60_000;
  while (Date.now() < until && (!answered() || underWay.size > 0 || Date.now() - quietSince < settle)) await page.waitForTimeout(100);

  const verdicts = [];
  for (const p of panels) {
    const { results, errors, queries } = answers.get(p.id);
    const box = page.locator(`[data-panelid="${p.id}"]`);
    const text = (await box.count()) ? await box.innerText() : '';
    const refs = (p.targets ?? []).map((t) => t.refId);
    // Tiles and bars have a query for each thing that they may have to show.
    const oneOf = ['stat', 'bargauge'].includes(p.type) && refs.some((ref) => results[ref]);
    const empty = oneOf || mayBeEmpty.has(p.title) ? [] : refs.filter((ref) => !results[ref]);
    const early = [];
    for (const ref of empty) if (!lenient && await tooEarly(queries[ref])) early.push(ref);
    const missing = empty.filter((ref) => !early.includes(ref));
    const own = p.fieldConfig?.defaults?.noValue;

    let verdict = 'ok';
    if (errors.length) verdict = errors.join('; ');
    else if (await box.locator('[data-testid*="Panel status error"], [aria-label*="Panel status error"]').count()) verdict = 'panel error';
    else if (/Unable to render|does not have a|Data is missing/.test(text) && !(state && missing.length === refs.length)) verdict = `says "${text.replaceAll('\n', ' ').slice(0, 100)}"`;
    else if (/\bNo data\b/.test(text) && !early.length && !state) verdict = 'says "No data"';
    else if (state && p.type === 'stat' && p.id !== 1 && !green.includes('any') && !green.includes(uid) && !green.includes(p.title) && await isGreen(box)) verdict = 'is green, although there is no data';
    else if (missing.length && !lenient && !process.env.LENIENT) verdict = `no series from query ${missing.join(', ')}`;
    else if (missing.length) verdict = `ok, ${missing.join(', ')} empty${own ? `: "${own}"` : ''}`;
    else if (early.length) verdict = `ok, too early to draw ${early.join(', ')}`;
    verdicts.push({ panel: p.title, id: p.id, type: p.type, series: refs.map((ref) => `${ref} ${results[ref] ?? 0}`).join(', '), verdict });
  }
  const first = process.env.FIRST;
  if (state && first && !(await page.locator('[data-panelid="1"]').innerText()).includes(first)) broken.push(`the banner does not say ${first}`);
  if (expected && !(await page.locator('body').innerText()).includes(expected.split('\n')[0])) broken.push(`does not show ${JSON.stringify(expected)}`);
  for (const href of new Set(await page.locator('a[href*="var-pbx="]').evaluateAll((links) => links.map((a) => a.href)))) {
    const linked = new URL(href).searchParams;
    const key = `${linked.get('var-account')} ${linked.get('var-pbx')}`;
    if (!state && linked.get('var-pbx') && !ids.has(key)) broken.push(`links to a PBX that there is not: ${key}`);
  }
  if (pbxs) {
    const shown = answers.get(panels.find((p) => p.title === 'PBXs').id).values.A;
    if (Math.abs(shown - pbxs) > 1) broken.push(`counts ${shown} PBXs, but there are ${pbxs}`);
  }
  const alerts = await page.locator('[data-testid*="Alert error"], [aria-label="Alert error"]').allInnerTexts();
  broken.push(...alerts.map((a) => a.replaceAll('\n', ' ').slice(0, 300)));

  if (!lenient || state || process.env.ALL_PICTURES) {
    await page.screenshot({ path: path.join(folder, `${name}.png`), clip: { x: 0, y: 0, width, height: Math.min(height, 1080) } });
    await page.screenshot({ path: path.join(folder, `${name}-full.png`) });
    for (const narrow of (process.env.WIDTHS ?? '').split(',').filter(Boolean)) {
      await page.setViewportSize({ width: Number(narrow), height });
      await page.waitForTimeout(settle);
      await page.screenshot({ path: path.join(folder, `${name}-${narrow}.png`) });
    }
  }
  await page.close();
  return { verdicts, broken };
}

// isGreen reports whether anything in a panel is written in the green that means well.
function isGreen(box) {
  return box.locator('*').evaluateAll((all) => all.some((e) => e.childElementCount === 0 && e.textContent.trim() && getComputedStyle(e).color === 'rgb(115, 191, 105)'));
}

fs.mkdirSync(folder, { recursive: true });
const browser = await chromium.launch({ executablePath: browserPath(), headless: true, args: flags });
const source = await dataSource();
let passed = 0;
let failed = 0;
try {
  const ids = new Set((await series('group by (account, cloud_pbx_id) (last_over_time(ycm_cloud_pbx_info[1d]))')).map((p) => `${p.account} ${p.cloud_pbx_id}`));
  const from = await lookBack();
  const context = await browser.newContext(); // one for all pages: Grafana's scripts are then read once
  for (const v of await visits()) {
    const { verdicts, broken } = await visit(context, ids, from, v);
    console.log(`\n${v.name} ${JSON.stringify(v.query)}`);
    for (const { panel, id, type, series: drawn, verdict } of verdicts) {
      const ok = verdict.startsWith('ok');
      if (ok) passed++; else failed++;
      console.log(`${ok ? '  ok  ' : '  BAD '} ${String(id).padStart(3)} ${type.padEnd(14)} ${panel.padEnd(36)} ${drawn}${verdict === 'ok' ? '' : `   <- ${verdict}`}`);
    }
    for (const b of broken) console.log('  BAD  page:', b);
    failed += broken.length;
  }
} finally {
  await browser.close();
}
console.log(`\n${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
