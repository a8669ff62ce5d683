// Reads the report's data out of the page and shows it. src/report/document_json.cpp says what the
// data looks like.
import { mount } from 'svelte';
import App from './App.svelte';
import './style.css';

const target = document.getElementById('app');
const report = JSON.parse(document.getElementById('edgelm-report').textContent);
if (report?.format === 'edgelm.report/1') {
  document.title = report.title;
  mount(App, { target, props: { report } });
} else {
  target.textContent = 'This page is the empty form of a report: `edgelm report -o html` fills it.';
}
