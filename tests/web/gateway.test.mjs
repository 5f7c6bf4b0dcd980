// The gateway before the real services, called as browsers, Node programs, buf and curl call it.
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { Code, ConnectError, createClient } from '@connectrpc/connect';
import { createConnectTransport as nodeConnect, createGrpcWebTransport as nodeGrpcWeb } from '@connectrpc/connect-node';
import { createConnectTransport as webConnect, createGrpcWebTransport as webGrpcWeb } from '@connectrpc/connect-web';
import { ARTICLES, INGEST_ALLOWED, ROOT, binDir, ingestArticles, post, startAll } from './services.mjs';

const run = promisify(execFile);
const HERE = path.join(ROOT, 'tests', 'web');
const SEARCH = 'dateline.search.v1.SearchService/Search';
const skip = binDir() === undefined ? 'no binaries: build them, or name their folder in DATELINE_BIN' : false;

let services;
let api;

before(async () => {
  if (skip) return;
  // The stubs are made from proto/ by the test itself, as any user of the contract would make them.
  const gen = path.join(HERE, 'gen');
  await rm(gen, { recursive: true, force: true });
  await mkdir(gen);
  const proto = path.join(ROOT, 'proto');
  const files = ['article/v1/article', 'classifier/v1/classifier_service', 'search/v1/search_service', 'search/v1/ingest_service'];
  await run('protoc', [
    `--plugin=protoc-gen-es=${path.join(HERE, 'node_modules', '.bin', 'protoc-gen-es')}`, `--es_out=${gen}`,
    '--es_opt=target=js,import_extension=js', `-I${proto}`, ...files.map((file) => path.join(proto, 'dateline', `${file}.proto`)),
  ]);
  api = {
    ...(await import('./gen/dateline/search/v1/search_service_pb.js')),
    ...(await import('./gen/dateline/search/v1/ingest_service_pb.js')),
    ...(await import('./gen/dateline/classifier/v1/classifier_service_pb.js')),
  };
  services = await startAll([...INGEST_ALLOWED, '--cors_origin', 'https://pages.example']);
  const ingest = await ingestArticles(services.base);
  assert.equal(ingest.results.length, ARTICLES.length);
  assert.deepEqual(ingest.results.filter((result) => result.error), []);
});

after(async () => {
  await services?.stop();
});

function transports() {
  const baseUrl = services.base;
  return {
    'connect-web JSON': webConnect({ baseUrl }),
    'connect-web binary': webConnect({ baseUrl, useBinaryFormat: true }),
    'connect-web GET': webConnect({ baseUrl, useHttpGet: true }),
    'connect-web binary GET': webConnect({ baseUrl, useHttpGet: true, useBinaryFormat: true }),
    'connect-web gRPC-Web': webGrpcWeb({ baseUrl }),
    'connect-web gRPC-Web JSON': webGrpcWeb({ baseUrl, useBinaryFormat: false }),
    'connect-node Connect': nodeConnect({ baseUrl, httpVersion: '1.1' }),
    'connect-node JSON': nodeConnect({ baseUrl, httpVersion: '1.1', useBinaryFormat: false }),
    'connect-node GET': nodeConnect({ baseUrl, httpVersion: '1.1', useHttpGet: true }),
    'connect-node gRPC-Web': nodeGrpcWeb({ baseUrl, httpVersion: '1.1' }),
  };
}

test('every client finds, and hears errors with their details', { skip }, async (t) => {
  for (const [name, transport] of Object.entries(transports())) {
    await t.test(name, async () => {
      const client = createClient(api.SearchService, transport);
      const response = await client.search({ query: 'gas', pageSize: 5, facets: [{ field: 'region_code' }] });
      assert.ok(response.hits.length === 5, `${response.hits.length} hits`);
      assert.equal(response.total.value, ARTICLES.length - 1, 'all but the Arabic one');
      assert.notEqual(response.commitToken, '');
      const arabic = await client.getArticle({ id: 'web-arabic' });
      assert.equal(arabic.article.title, ARTICLES[1].title);
      const emoji = await client.getArticle({ id: 'web-emoji' });
      assert.equal(emoji.article.body, ARTICLES[2].body);

      const error = await client.search({ pageSize: -1 }).then(() => null, (reason) => ConnectError.from(reason));
      assert.ok(error, 'a negative page size is an error');
      assert.equal(error.code, Code.InvalidArgument, error.message);
      assert.match(error.rawMessage, /page_size/);
      assert.ok(error.details.some((detail) => detail.type === 'google.rpc.BadRequest'), JSON.stringify(error.details));

      const missing = await client.getArticle({ id: 'no-such-article' }).then(() => null, (reason) => ConnectError.from(reason));
      assert.equal(missing?.code, Code.NotFound);
    });
  }
});

test('the classifier is reached as well', { skip }, async () => {
  const client = createClient(api.ClassifierService, webConnect({ baseUrl: services.base }));
  const taxonomy = await client.getTaxonomy({});
  assert.ok(JSON.stringify(taxonomy).length > 1000);
  const tags = await client.classify({ input: { case: 'article', value: { title: 'Iran and its gas', body: ARTICLES[0].body } } });
  assert.equal(tags.countries[0]?.regionCode, 'IR');
});

test('deadlines and aborts end a call', { skip }, async () => {
  const client = createClient(api.SearchService, nodeConnect({ baseUrl: services.base, httpVersion: '1.1' }));
  const classifier = createClient(api.ClassifierService, nodeConnect({ baseUrl: services.base, httpVersion: '1.1' }));
  const long = { input: { case: 'article', value: { title: 'Iran', body: 'Iran sells gas. '.repeat(110_000) } } };
  const late = await classifier.classify(long, { timeoutMs: 5 }).then(() => null, (reason) => ConnectError.from(reason));
  assert.equal(late?.code, Code.DeadlineExceeded);
  const controller = new AbortController();
  const aborted = client.search({ query: 'gas' }, { signal: controller.signal }).then(() => null, (reason) => ConnectError.from(reason));
  controller.abort();
  assert.equal((await aborted)?.code, Code.Canceled);
});

test('only what is allowed may be called', { skip }, async () => {
  const denied = await post(services.base, 'dateline.search.v1.IngestService/DeleteArticle', { id: 'web-iran' });
  assert.equal(denied.status, 403);
  assert.equal(denied.body.code, 'permission_denied');
  const admin = await post(services.base, 'dateline.search.v1.SearchAdminService/RebuildIndex', {});
  assert.equal(admin.body.code, 'permission_denied');
  const stream = await post(services.base, 'dateline.search.v1.IngestService/StreamIngest', {});
  assert.equal(stream.body.code, 'unimplemented');
  const unknown = await post(services.base, 'dateline.search.v1.SearchService/Nothing', {});
  assert.equal(unknown.status, 404);
});

async function curl(...args) {
  const { stdout } = await run('curl', ['-sS', '--max-time', '30', ...args], { maxBuffer: 1 << 26 });
  return stdout;
}

test('curl asks by GET and POST, plain and compressed, and its cache by ETag', { skip }, async () => {
  const message = encodeURIComponent(JSON.stringify({ query: 'gas', page_size: 2 }));
  const url = `${services.base}/${SEARCH}?connect=v1&encoding=json&message=${message}`;
  assert.equal(JSON.parse(await curl(url)).hits.length, 2);
  assert.equal(JSON.parse(await curl('--compressed', url)).hits.length, 2);
  assert.equal(
    JSON.parse(await curl('-H', 'Content-Type: application/json', '-d', '{"query":"gas","pageSize":2}', `${services.base}/${SEARCH}`))
      .hits.length,
    2,
  );
  const head = await curl('-I', url);
  assert.match(head, /^HTTP\/1\.1 200/);
  const etag = /^etag: (.+)$/im.exec(head)?.[1].trim();
  assert.ok(etag, head);
  assert.match(await curl('-i', '-H', `If-None-Match: ${etag}`, url), /^HTTP\/1\.1 304/);
  assert.equal((await curl('-H', 'Content-Type: application/xml', '-d', 'x', '-o', '/dev/null', '-w', '%{http_code}', `${services.base}/${SEARCH}`)), '415');
  assert.equal((await curl('-X', 'DELETE', '-o', '/dev/null', '-w', '%{http_code}', `${services.base}/${SEARCH}`)), '405');
});

test('a body of 2 MB gets through, one above the limit is refused and heard', { skip }, async () => {
  const dir = await mkdtemp(path.join(tmpdir(), 'dateline-curl-'));
  try {
    const file = path.join(dir, 'body.json');
    const url = `${services.base}/dateline.classifier.v1.ClassifierService/Classify`;
    await writeFile(file, JSON.stringify({ article: { title: 'Iran', body: 'Iran sells gas. '.repeat(110_000) } }));
    const taken = JSON.parse(await curl('-H', 'Content-Type: application/json', '--data-binary', `@${file}`, url));
    assert.equal(taken.countries?.[0]?.regionCode, 'IR', JSON.stringify(taken).slice(0, 300));
    await writeFile(file, 'x'.repeat(25_000_000));
    const refused = await curl('-H', 'Content-Type: application/json', '--data-binary', `@${file}`, '-o', '/dev/null', '-w', '%{http_code}', url);
    assert.equal(refused, '413');
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
});

test('buf curl speaks Connect and gRPC-Web', { skip }, async (t) => {
  const arch = process.arch === 'arm64' ? 'aarch64' : 'x64';
  const buf = path.join(HERE, 'node_modules', '@bufbuild', `buf-linux-${arch}`, 'bin', 'buf');
  if (!existsSync(buf)) {
    t.skip('buf is not there for this machine');
    return;
  }
  for (const protocol of ['connect', 'grpcweb']) {
    const { stdout } = await run(
      buf,
      ['curl', '--protocol', protocol, '--schema', path.join(ROOT, 'proto'), '-d', '{"query":"gas","pageSize":3}', `${services.base}/${SEARCH}`],
      { cwd: tmpdir() },
    );
    assert.equal(JSON.parse(stdout).hits.length, 3, protocol);
  }
});

test('another origin may ask if it is named', { skip }, async () => {
  const preflight = (origin) =>
    curl('-i', '-X', 'OPTIONS', '-H', `Origin: ${origin}`, '-H', 'Access-Control-Request-Method: POST', `${services.base}/${SEARCH}`);
  assert.match(await preflight('https://pages.example'), /^access-control-allow-origin: https:\/\/pages\.example\r$/im);
  assert.doesNotMatch(await preflight('https://other.example'), /access-control-allow-origin/i);
});

test('garbage, slow and vanishing clients leave it serving', { skip }, async () => {
  const { port } = services.gateway;
  const send = (bytes) =>
    new Promise((resolve) => {
      const socket = net.connect(port, '127.0.0.1', () => socket.end(bytes));
      socket.on('data', () => {});
      socket.on('error', resolve);
      socket.on('close', resolve);
    });
  await send(Buffer.from([0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc]));
  await send('GET / HTTP/1.1\r\nHost: x\r\nBad Header: é\r\n\r\n');
  await send('POST /a.B/C HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n');
  await Promise.all(Array.from({ length: 50 }, () => send(`POST /${SEARCH} HTTP/1.1\r\nContent-Length: 100\r\n\r\n{`)));
  for (let i = 0; i < 20; ++i) {
    await new Promise((resolve) => {
      const request = http.get(`${services.base}/${SEARCH}?encoding=json&message=%7B%7D`, resolve);
      request.on('error', resolve);
      setTimeout(() => request.destroy(), i);
    });
  }
  assert.equal((await post(services.base, SEARCH, { query: 'gas' })).status, 200);
});

test('a client that closes its sending half gets its answer', { skip }, async () => {
  const ask = (bytes) =>
    new Promise((resolve, reject) => {
      let answer = '';
      const socket = net.connect({ port: services.gateway.port, host: '127.0.0.1', allowHalfOpen: true }, () => socket.end(bytes));
      socket.on('data', (chunk) => (answer += chunk));
      socket.on('error', reject);
      socket.on('end', () => resolve(answer));
    });
  assert.match(await ask('GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'), /HTTP\/1\.1 200 OK[^]*ok\n$/);
  const search = `GET /${SEARCH}?encoding=json&message=%7B%22query%22:%22gas%22%7D HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`;
  for (let i = 0; i < 20; ++i) assert.match(await ask(search), /HTTP\/1\.1 200 OK[^]*"hits":\[/);
});

test('a client that takes it for a proxy is served', { skip }, async () => {
  assert.equal(await curl('--noproxy', '', '--proxy', services.base, 'http://dateline.example/healthz'), 'ok\n');
  const message = encodeURIComponent(JSON.stringify({ query: 'gas', page_size: 2 }));
  const answer = await curl(
    '--noproxy', '', '--proxy', services.base, `http://dateline.example/${SEARCH}?encoding=json&message=${message}`,
  );
  assert.equal(JSON.parse(answer).hits.length, 2);
});

test('a taken port is one clear line', { skip }, () => {
  const second = spawnSync(path.join(binDir(), 'web_gateway'), ['--listen', services.gateway.address], { encoding: 'utf8', timeout: 30_000 });
  assert.equal(second.status, 1);
  assert.match(second.stderr, /^web_gateway: cannot listen on [^\n]*choose another port[^\n]*\n$/);
});

test('readiness follows the search service, and tells of the classifier', { skip }, async () => {
  const ready = await fetch(`${services.base}/readyz`);
  assert.equal(ready.status, 200);
  assert.deepEqual(await ready.json(), {
    ready: true, required: ['search'], upstreams: { classifier: 'SERVING', search: 'SERVING' },
  });
  await services.classifier.stop();
  const searchable = await fetch(`${services.base}/readyz`);
  assert.equal(searchable.status, 200, 'it can search');
  assert.deepEqual(await searchable.json(), {
    ready: true, required: ['search'], upstreams: { classifier: 'UNREACHABLE', search: 'SERVING' },
  });
  assert.equal((await post(services.base, SEARCH, { query: 'gas' })).status, 200);
  await services.search.stop();
  const away = await fetch(`${services.base}/readyz`);
  assert.equal(away.status, 503);
  assert.equal((await away.json()).ready, false);
  const call = await post(services.base, SEARCH, { query: 'gas' });
  assert.equal(call.status, 503);
  assert.equal(call.body.code, 'unavailable');
});
