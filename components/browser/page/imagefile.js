// What a file that somebody wants to show is, and in which sizes it may be tried.

const MOST_FILE_MB = 25;
const MOST_MEGAPIXELS = 50; // unpacked, each has four MB
const IMAGE_SIDES = [1024, 768, 512, 320]; // the longest one, in pixels
const JPEG_QUALITIES = [0.85, 0.7, 0.5];
const PNG_START = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

export const BROKEN_IMAGE = "This image is broken. Choose another one.";

// Why a file of this size is not even read; empty if it is.
export function fileProblem(bytes) {
  const megabytes = Math.round(bytes / 1e6);
  if (bytes <= MOST_FILE_MB * 1e6) return "";
  return `This file has ${megabytes} MB; ${MOST_FILE_MB} MB is the most. Choose a smaller image.`;
}

// The type and the size that the head of a file tells, or a sentence why it cannot be shown.
export function imageHead(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const png = PNG_START.every((byte, at) => bytes[at] === byte);
  const jpeg = bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff;
  if (!png && !jpeg)
    return { problem: "Only PNG and JPEG images can be sent. Choose one of these." };
  const size = png ? pngSize(view) : jpegSize(view);
  if (!size || !size[0] || !size[1]) return { problem: BROKEN_IMAGE };
  const [width, height] = size;
  if (width * height > MOST_MEGAPIXELS * 1e6) {
    const most = `${MOST_MEGAPIXELS} million pixels`;
    return { problem: `This image has more than ${most}. Choose a smaller one.` };
  }
  return { type: png ? "image/png" : "image/jpeg", width, height };
}

function pngSize(view) {
  return view.byteLength >= 24 ? [view.getUint32(16), view.getUint32(20)] : null;
}

// A JPEG tells its size in its frame, behind any number of other segments.
function jpegSize(view) {
  let at = 2;
  while (at + 9 <= view.byteLength && view.getUint8(at) === 0xff) {
    const marker = view.getUint8(at + 1);
    const frame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (frame) return [view.getUint16(at + 7), view.getUint16(at + 5)];
    if (marker === 0xff) at += 1;
    else at += 2 + Math.max(2, view.getUint16(at + 2));
  }
  return null;
}

// How to draw it, the best first: { width, height, type, quality }. A PNG is tried as such, since
// JPEG blurs what is written in it. No image is made larger.
export function imageSteps(type, width, height) {
  const longest = Math.max(width, height);
  const sides = IMAGE_SIDES.filter((side) => side < longest);
  if (longest <= IMAGE_SIDES[0]) sides.unshift(longest);
  const forms = JPEG_QUALITIES.map((quality) => ({ type: "image/jpeg", quality }));
  if (type === "image/png") forms.unshift({ type, quality: undefined });
  return sides.flatMap((side) => {
    const scaled = (pixels) => Math.max(1, Math.round((pixels * side) / longest));
    return forms.map((form) => ({ ...form, width: scaled(width), height: scaled(height) }));
  });
}

// Bytes of an image that go into a message of so many, as base64 and with a line of text.
export function imageRoom(messageBytes, text) {
  const beside = 1000 + 3 * text.length;
  return Math.max(0, Math.floor(((messageBytes - beside) * 3) / 4));
}
