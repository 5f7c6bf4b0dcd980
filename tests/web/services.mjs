// Starts the real binaries for a test, each on a port of its own choosing, and stops them as an operator would.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const READY_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 30_000;

/** The folder of the binaries: DATELINE_BIN, else the first build that has them all. */
export function binDir() {
  const candidates = process.env.DATELINE_BIN
    ? [process.env.DATELINE_BIN]
    : ['release', 'dev'].map((build) => path.join(ROOT, 'build', build, 'bin'));
  return candidates.find((dir) =>
    ['classifier_service', 'search_service', 'web_gateway'].every((name) => existsSync(path.join(dir, name))),
  );
}

class Service {
  static async start(binary, args) {
    const service = new Service();
    service.name = path.basename(binary);
    service.log = '';
    service.process = spawn(binary, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    service.exited = once(service.process, 'exit');
    service.port = await new Promise((resolve, reject) => {
      const timer = setTimeout(() => fail(`not ready after ${READY_TIMEOUT_MS} ms`), READY_TIMEOUT_MS);
      const fail = (why) => {
        clearTimeout(timer);
        service.process.kill('SIGKILL');
        reject(new Error(`${service.name}: ${why}\n${service.log.slice(-2000)}`));
      };
      const read = (chunk) => {
        service.log += chunk;
        const ready = /\bready\b.*\bport=(\d+)/.exec(service.log);
        if (ready) {
          clearTimeout(timer);
          resolve(Number(ready[1]));
        }
      };
      service.process.stdout.on('data', read);
      service.process.stderr.on('data', read);
      service.process.on('error', (error) => fail(error.message));
      service.process.on('exit', (code) => fail(`ended with ${code}`));
    });
    return service;
  }

  get address() {
    return `127.0.0.1:${this.port}`;
  }

  /** SIGTERM; fails unless the process ends with 0 in time. */
  async stop() {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    this.process.kill('SIGTERM');
    const timer = setTimeout(() => this.process.kill('SIGKILL'), STOP_TIMEOUT_MS);
    const [code, signal] = await this.exited;
    clearTimeout(timer);
    if (code !== 0) throw new Error(`${this.name} ended with ${code ?? signal} after SIGTERM\n${this.log.slice(-2000)}`);
  }
}

/** Starts classifier, search and gateway; `gatewayArgs` are added to the gateway's. */
export async function startAll(gatewayArgs = []) {
  const bin = binDir();
  if (bin === undefined) throw new Error('no binaries: build them, or name their folder in DATELINE_BIN');
  const dataDir = await mkdtemp(path.join(tmpdir(), 'dateline-web-'));
  const started = [];
  const stop = async () => {
    const errors = [];
    for (const service of started.reverse()) await service.stop().catch((error) => errors.push(error));
    await rm(dataDir, { recursive: true, force: true });
    if (errors.length > 0) throw errors[0];
  };
  const start = async (name, args) => {
    const service = await Service.start(path.join(bin, name), args);
    started.push(service);
    return service;
  };
  try {
    const classifier = await start('classifier_service', ['--listen', '127.0.0.1:0']);
    const search = await start('search_service', [
      '--listen', '127.0.0.1:0', '--data_dir', dataDir, '--classifier', classifier.address,
    ]);
    const gateway = await start('web_gateway', [
      '--listen', '127.0.0.1:0', '--search', search.address, '--classifier', classifier.address, ...gatewayArgs,
    ]);
    return { classifier, search, gateway, base: `http://${gateway.address}`, stop };
  } catch (error) {
    await stop().catch(() => {});
    throw error;
  }
}

/** Calls a method by Connect's JSON POST; returns status and parsed body. */
export async function post(base, method, body) {
  const response = await fetch(`${base}/${method}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  });
  return { status: response.status, headers: response.headers, body: await response.json() };
}

/** A handful of articles, enough for facets, paging, an Arabic and an emoji snippet. */
export const ARTICLES = [
  {
    id: 'web-iran', url: 'https://commentary.example/iran', title: 'Iran and Russia Trade Gas for Patience', source: 'Example Review',
    authors: ['Dana Reyes'], publishTime: '2024-03-15T00:00:00Z', languageCode: 'en',
    body: 'Iran sells natural gas that Russia does not need. In Tehran the ministers speak of sanctions, and Iranian exporters of patience.\n\n'
      + 'The pipeline that Moscow promised would carry gas from Iran to the north. Iranian officials say that sanctions will not stop it.',
  },
  {
    id: 'web-arabic', url: 'https://commentary.example/arabic', title: 'أمن الطاقة في قطر', source: 'Example Review',
    authors: ['ليلى حداد'], publishTime: '2024-04-01T00:00:00Z', languageCode: 'ar',
    body: 'تتجه أسواق الغاز في قطر إلى مرحلة جديدة مع توسع الصادرات من الدوحة، فيما تبقى أسعار النفط رهينة الخلافات.',
  },
  {
    id: 'web-emoji', title: 'Notes 🌍 on gas prices in Ukraine', source: 'Small Paper', publishTime: '2023-01-05T00:00:00Z',
    languageCode: 'en', body: 'Kyiv 🇺🇦 pays more for gas than it did. Ukraine waits for the heating season; Ukrainian households wait for 💶 help.',
  },
  {
    id: 'web-markup', title: '<img src=x onerror=alert(1)> gas & <b>markup</b>', source: '<script>alert(2)</script>',
    publishTime: '2022-06-01T00:00:00Z', languageCode: 'en', body: 'A column about gas whose <em>markup</em> must stay text in Kenya and in Nairobi.',
  },
  {
    id: 'web-group', url: 'https://commentary.example/union', title: 'The European Union Buys Gas Together',
    source: 'Small Paper', publishTime: '2022-11-20T00:00:00Z', languageCode: 'en',
    body: 'The European Union buys gas as one, and EU ministers call it a union at last. What the EU pays, all share.',
  },
  ...Array.from({ length: 14 }, (_, i) => ({
    id: `web-more-${i}`, url: `https://commentary.example/more/${i}`, title: `Column ${i}: gas in Turkey`, source: 'Example Review',
    publishTime: `2021-02-${String(i + 1).padStart(2, '0')}T00:00:00Z`, languageCode: 'en',
    body: `Turkey buys gas by the ${['week', 'month', 'season'][i % 3]}, and Ankara pays for column number ${i} with patience and with lira.`,
  })),
];

/** One text in three places. */
export const COPIES = ['First', 'Second', 'Third'].map((name, i) => ({
  id: `web-copy-${i}`, url: `https://${name.toLowerCase()}.example/corridor`, title: 'The Grain Corridor Opens Again', source: `${name} Wire`,
  publishTime: `2020-05-0${3 - i}T00:00:00Z`, languageCode: 'en',
  body: 'Ships left the harbour of Odesa in the morning, the first since winter, with wheat for Egypt and maize for Tunisia. '
    + 'Insurers had waited for a promise that nobody wanted to sign, and then for a storm to pass. Farmers in the south of Ukraine '
    + 'say that silos are full and that the railway takes a tenth of what the sea can carry. Buyers in Cairo speak of relief, '
    + 'bakers of prices that stay where they are, and diplomats of a corridor that lasts until somebody closes it.',
}));

/** Takes the articles in and waits until they are tagged. The gateway must allow IngestArticles and WaitForCommit. */
export async function ingestArticles(base, articles = ARTICLES) {
  const ingest = await post(base, 'dateline.search.v1.IngestService/IngestArticles', {
    items: articles.map((article) => ({ article })),
    waitFor: 'COMMIT_STAGE_LABELLED',
  });
  if (ingest.status !== 200) throw new Error(`IngestArticles: ${JSON.stringify(ingest.body)}`);
  for (let tries = 0; tries < 30; ++tries) {
    const wait = await post(base, 'dateline.search.v1.IngestService/WaitForCommit', {
      commitToken: ingest.body.commitToken,
      stage: 'COMMIT_STAGE_LABELLED',
    });
    if (wait.body.reached === 'COMMIT_STAGE_LABELLED') break;
  }
  return ingest.body;
}

export const INGEST_ALLOWED = [
  '--allow', 'dateline.search.v1.IngestService/IngestArticles', '--allow', 'dateline.search.v1.IngestService/WaitForCommit',
];
