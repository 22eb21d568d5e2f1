// Which files are taken for images, and how they are made small enough.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  fileProblem,
  imageHead,
  imageRoom,
  imageSteps,
} from "../../components/browser/page/imagefile.js";

const PNG = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const two = (number) => [number >> 8, number & 255];
const four = (number) => [...two(number >>> 16), ...two(number & 65535)];
const png = (width, height) =>
  new Uint8Array([
    ...PNG,
    ...four(13),
    ...[0x49, 0x48, 0x44, 0x52],
    ...four(width),
    ...four(height),
  ]);
const segment = (marker, ...body) => [0xff, marker, ...two(body.length + 2), ...body];
const frame = (marker, width, height) => segment(marker, 8, ...two(height), ...two(width), 3, 1);
const jpeg = (...parts) => new Uint8Array([0xff, 0xd8, ...parts.flat()]);

test("a file of 50 MB is not read", () => {
  assert.equal(fileProblem(25_000_000), "");
  assert.match(fileProblem(50_000_000), /^This file has 50 MB; 25 MB is the most\./);
});

test("the head of a PNG or JPEG tells its type and size", () => {
  assert.deepEqual(imageHead(png(640, 480)), { type: "image/png", width: 640, height: 480 });
  for (const marker of [0xc0, 0xc2]) {
    const photo = jpeg(segment(0xe1, ...new Array(500).fill(7)), 0xff, frame(marker, 4000, 3000));
    assert.deepEqual(imageHead(photo), { type: "image/jpeg", width: 4000, height: 3000 });
  }
});

test("the size is not taken from what lies in front of the frame", () => {
  const huffman = segment(0xc4, 8, 0, 1, 0, 1, 3, 1);
  const photo = jpeg(huffman, frame(0xc0, 64, 48));
  assert.deepEqual([imageHead(photo).width, imageHead(photo).height], [64, 48]);
});

test("a view into a longer buffer is read from its beginning", () => {
  const longer = new Uint8Array([1, 2, 3, ...png(5, 7)]);
  assert.equal(imageHead(longer.subarray(3)).height, 7);
});

test("other types get a sentence", () => {
  const gif = new TextEncoder().encode("GIF89a..........");
  for (const bytes of [gif, new Uint8Array(), new Uint8Array(PNG.slice(0, 7))]) {
    assert.match(imageHead(bytes).problem, /^Only PNG and JPEG images can be sent\./);
  }
});

test("a broken head gets a sentence", () => {
  const broken = [
    png(640, 480).subarray(0, 20),
    png(0, 480),
    jpeg(0xff),
    jpeg(frame(0xc0, 0, 9)),
    jpeg(segment(0xe0, 1, 2, 3)),
    jpeg([0xff, 0xe0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
  ];
  for (const bytes of broken) assert.match(imageHead(bytes).problem, /^This image is broken\./);
});

test("an image that would fill the memory is not unpacked", () => {
  assert.equal(imageHead(png(10_000, 5_000)).problem, undefined);
  for (const side of [10_001, 4_000_000_000]) {
    assert.match(imageHead(png(side, 5_000)).problem, /^This image has more than 50 million/);
  }
});

test("a small image is tried as it is, and never made larger", () => {
  const [first, ...rest] = imageSteps("image/jpeg", 640, 480);
  assert.deepEqual(first, { type: "image/jpeg", quality: 0.85, width: 640, height: 480 });
  assert.ok(rest.every(({ width }) => width <= 640));
});

test("a large one is scaled to its longest side, by steps down in quality and then in size", () => {
  const steps = imageSteps("image/jpeg", 3000, 4000);
  assert.deepEqual(
    steps.slice(0, 4).map(({ width, height, quality }) => [width, height, quality]),
    [
      [768, 1024, 0.85],
      [768, 1024, 0.7],
      [768, 1024, 0.5],
      [576, 768, 0.85],
    ],
  );
  assert.deepEqual(steps.at(-1), { type: "image/jpeg", quality: 0.5, width: 240, height: 320 });
});

test("a PNG is tried as such before it becomes a JPEG", () => {
  const types = imageSteps("image/png", 100, 50).map(({ type }) => type);
  assert.deepEqual(types, ["image/png", ...new Array(3).fill("image/jpeg")]);
});

test("a line of pixels keeps one", () => {
  assert.equal(imageSteps("image/png", 40_000, 1)[0].height, 1);
});

test("the room in a message is what is left beside the line, as base64", () => {
  assert.equal(imageRoom(65_536, ""), 48_402);
  assert.ok(imageRoom(65_536, "x".repeat(4000)) < 39_500);
  assert.equal(imageRoom(0, ""), 0);
  assert.equal(imageRoom(Number.POSITIVE_INFINITY, ""), Number.POSITIVE_INFINITY);
});
