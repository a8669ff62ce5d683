// Builds the report page as one HTML file: script and style inlined, nothing fetched. The program
// puts its data where index.html has a placeholder (src/report/html.cpp).
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';

// A script's text inside HTML must not contain what ends or opens a script element.
const scriptSafe = (code) => code.replace(/<(?=\/script|script|!--)/gi, '\\x3c');
const styleSafe = (css) => css.replace(/<\/style/gi, '<\\/style');

const oneFile = () => ({
  name: 'one-file',
  enforce: 'post',
  generateBundle(_, bundle) {
    const page = Object.values(bundle).find((part) => part.fileName.endsWith('.html'));
    const scripts = Object.values(bundle).filter((part) => part.type === 'chunk');
    const styles = Object.values(bundle).filter((part) => part.fileName.endsWith('.css'));
    if (!page || scripts.length !== 1 || Object.keys(bundle).length !== 2 + styles.length) {
      this.error(`expected a page, a script and a style, got ${Object.keys(bundle).join(', ')}`);
    }
    const css = styles.map((part) => `<style>${styleSafe(part.source)}</style>`).join('');
    const html = String(page.source)
      .replace(/<script[^>]*type="module"[^>]*><\/script>/g, '')
      .replace(/<link[^>]*(stylesheet|modulepreload)[^>]*>/g, '')
      .replace('</head>', () => `${css}</head>`)
      .replace('</body>', () => `<script>${scriptSafe(scripts[0].code)}</script></body>`);
    for (const part of [...scripts, ...styles]) delete bundle[part.fileName];
    page.source = html;
  },
});

export default defineConfig({
  plugins: [svelte(), oneFile()],
  build: {
    target: 'es2020',
    modulePreload: false,
    cssCodeSplit: false,
    assetsInlineLimit: 1 << 20,
    reportCompressedSize: false,
    rollupOptions: { output: { format: 'iife' } },
  },
});
