import { defineConfig } from 'vite';

// The built page is committed and compiled into web_gateway, so its file names stay the same and the output depends on
// nothing but the sources and the lock file.
export default defineConfig({
  base: './',
  build: {
    target: 'es2021',
    modulePreload: { polyfill: false },
    // Images stay files: the page's policy allows data URLs, but a file is cached.
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    rollupOptions: {
      output: {
        entryFileNames: 'assets/page.js',
        assetFileNames: 'assets/page[extname]',
      },
    },
  },
  server: {
    // `npm run dev` beside a running web_gateway.
    proxy: Object.fromEntries(
      ['/dateline.search.v1.SearchService', '/dateline.classifier.v1.ClassifierService'].map((path) => [
        path,
        'http://127.0.0.1:8080',
      ]),
    ),
  },
});
