// Files, images and what pages say of themselves.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import test, { after } from 'node:test';
import { deflateSync, crc32 } from 'node:zlib';

import { device, name, refused, server, url as millpond } from '../pond.js';

// An upload of the client leaves a handle open, which would keep this process for minutes.
after(() => setTimeout(() => process.exit(), 1000).unref());

/** A PNG of one colour. */
const picture = (width, height) => {
  const chunk = (type, data) => {
    const body = Buffer.concat([Buffer.from(type), data]);
    const ends = [Buffer.alloc(4), Buffer.alloc(4)];
    ends[0].writeUInt32BE(data.length);
    ends[1].writeUInt32BE(crc32(body));
    return Buffer.concat([ends[0], body, ends[1]]);
  };
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 2], 8);
  const pixels = Buffer.alloc((1 + 3 * width) * height);
  const parts = [chunk('IHDR', head), chunk('IDAT', deflateSync(pixels)), chunk('IEND', Buffer.alloc(0))];
  return Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), ...parts]);
};

/** Width and height of the PNG at a link. */
const size = async (link) => {
  const response = await fetch(link);
  assert.equal(response.status, 200);
  assert.equal(response.headers.get('content-type'), 'image/png');
  const bytes = Buffer.from(await response.arrayBuffer());
  return [bytes.readUInt32BE(16), bytes.readUInt32BE(20)];
};

test('a file is uploaded, read by its link alone, and deleted by who uploaded it', async () => {
  const [amy, bob] = [device(name('amy')), device(name('bob'))];
  const { file } = await amy.files.upload(Buffer.from('quack'), 'ducks.txt', 'text/plain');
  assert.match(file, /ducks\.txt\?/);
  assert.equal(await (await fetch(file)).text(), 'quack');
  await refused(bob.files.delete(file), 403, 17);
  await amy.files.delete(file);
  assert.equal((await fetch(file)).status, 404);
  await refused(amy.files.delete(file), 404, 16);
});

test('an image is uploaded, processed and deleted', async () => {
  const [amy, bob] = [device(name('amy')), device(name('bob'))];
  const { file } = await amy.images.upload(picture(200, 100), 'duck.png', 'image/png');
  assert.match(file, /duck\.png\?/);
  assert.deepEqual(await size((await amy.images.thumbnail(file, 100, 100)).file), [100, 50]);
  const cut = { w: 50, h: 50, resize: 'crop', crop: ['top', 'left'] };
  assert.deepEqual(await size((await amy.images.process(file, cut)).file), [50, 50]);
  assert.deepEqual(await size((await amy.images.process(file, { w: 30, h: 40, resize: 'scale' })).file), [30, 40]);
  assert.deepEqual(await size((await amy.images.process(file, { w: 60, h: 60, resize: 'fill' })).file), [60, 60]);
  await refused(bob.images.process(file, { w: 10, h: 10 }), 403, 17);
  await refused(bob.images.delete(file), 403, 17);
  await amy.images.delete(file);
  await refused(amy.images.process(file, { w: 10, h: 10 }), 404, 16);
});

test('an image that is none, and a size that is none, are refused', async () => {
  const { detail } = await refused(server.images.upload(Buffer.from('let a;'), 'a.js'), 400, 4);
  assert.equal(detail, 'File type application/octet-stream is not supported');
  const { file } = await server.images.upload(picture(9, 9), 'duck.png', 'image/png');
  for (const options of [{ w: -1, h: 9 }, { w: 0, h: 9 }, { w: 9, h: 9, resize: 'x' }, { w: 9, h: 9, crop: 'x' }]) {
    await refused(server.images.process(file, options), 400, 4);
  }
});

test('a page tells its title, its text and its picture', async () => {
  const html = '<title>Ducks</title><meta property="og:description" content="All &amp; more"><meta property="og:image" content="/duck.png">';
  const pages = createServer((request, response) => response.setHeader('content-type', 'text/html').end(html));
  await new Promise((listening) => pages.listen(0, '127.0.0.1', listening));
  const at = `http://127.0.0.1:${pages.address().port}/`;
  try {
    const { title, description, images, original_url } = await device(name('amy')).og(at);
    assert.deepEqual([title, description, original_url], ['Ducks', 'All & more', at]);
    assert.deepEqual(images, [{ image: `${at}duck.png`, url: `${at}duck.png` }]);
  } finally {
    pages.close();
    // The server keeps its connection for a next page.
    pages.closeAllConnections();
  }
});

test('a page that says nothing, or is nobody’s business, is refused in one way', async () => {
  for (const at of ['http://169.254.169.254/', 'http://10.0.0.1/', 'http://[fd00::1]/', `${millpond}/livez`]) {
    const { detail } = await refused(server.og(at), 400, 4);
    assert.equal(detail, "couldn't find og data for the provided url");
  }
  await refused(server.og('not a url'), 400, 4);
});
