// Chromium without a window, driven over its own protocol, and a site for it that is not the server's origin.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import connect from 'chrome-remote-interface';

const PATIENCE_MS = 20_000;
const bundle = createRequire(import.meta.url).resolve('getstream').replace(/lib\/.*/, 'dist/js_min/getstream.js');
const here = (name) => new URL(name, import.meta.url);
const files = {
  '/': ['text/html', here('page.html')],
  '/page.js': ['text/javascript', here('page.js')],
  '/getstream.js': ['text/javascript', bundle],
};

/** Serves the page; returns its origin and what closes it. */
export const site = async () => {
  const server = createServer((request, response) => {
    const [type, file] = files[request.url] ?? [];
    response.writeHead(file ? 200 : 404, { 'content-type': `${type ?? 'text/plain'}; charset=utf-8` });
    response.end(file && readFileSync(file));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return { origin: `http://127.0.0.1:${server.address().port}`, close: () => server.close() };
};

/** Starts Chromium; returns what opens a page, and what ends it. */
export const chromium = async () => {
  const profile = mkdtempSync(path.join(tmpdir(), 'millpond-chromium-'));
  const switches = ['--headless=new', '--remote-debugging-port=0', `--user-data-dir=${profile}`, '--no-first-run'];
  // Whoever is root has no sandbox, and what is opened here is ours.
  if (process.getuid() === 0) switches.push('--no-sandbox');
  const child = spawn('chromium', [...switches, '--disable-gpu', '--disable-dev-shm-usage', 'about:blank'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const port = await listening(child);
  const close = async () => {
    child.kill();
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  };
  return { open: (address, options) => open(port, address, options), close };
};

const listening = async (child) => {
  const said = [];
  for await (const line of createInterface({ input: child.stderr })) {
    said.push(line);
    const found = line.match(/DevTools listening on ws:\/\/127\.0\.0\.1:(\d+)\//);
    if (found) return child.stderr.resume() && Number(found[1]);
  }
  assert.fail(`chromium did not start:\n${said.join('\n')}`);
};

/** Opens `address` in a tab of its own. `before` is a script that runs before those of the page. */
const open = async (port, address, { before = '' } = {}) => {
  const target = await connect.New({ port });
  const tab = await connect({ port, target });
  const { Page, Runtime, Network, Log } = tab;
  const seen = { complaints: [], responses: [], sockets: [] };
  Runtime.exceptionThrown(({ exceptionDetails }) => seen.complaints.push(exceptionDetails.exception?.description));
  Network.responseReceived(({ type, response }) => seen.responses.push({ type, url: response.url, status: response.status }));
  Network.webSocketCreated(({ url }) => seen.sockets.push(url));
  await Promise.all([Page.enable(), Runtime.enable(), Network.enable(), Log.enable()]);
  await Page.addScriptToEvaluateOnNewDocument({ source: before });
  await Promise.all([Page.loadEventFired(), Page.navigate({ url: address })]);

  /** The value of a script, which may be a promise. */
  const run = async (expression) => {
    const { result, exceptionDetails } = await Runtime.evaluate({ expression, awaitPromise: true, returnByValue: true });
    assert.ok(!exceptionDetails, exceptionDetails?.exception?.description);
    return result.value;
  };
  /** Waits until a script is true; looks again whenever the page has changed. */
  const until = (expression) =>
    run(`new Promise((resolve, reject) => {
      const look = () => (${expression}) && resolve();
      new MutationObserver(look).observe(document, { childList: true, subtree: true, characterData: true });
      setTimeout(() => reject(new Error('never: ' + ${JSON.stringify(expression)} + '\\n' + document.body.innerText)), ${PATIENCE_MS});
      look();
    })`);
  const picture = async (file) => writeFileSync(file, (await Page.captureScreenshot()).data, 'base64');
  const close = async () => {
    await connect.Close({ port, id: target.id });
    await tab.close();
  };
  return { run, until, picture, close, seen };
};
