import { crc32, deflateSync } from 'node:zlib';

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const framed = Buffer.alloc(body.length + 8);
  framed.writeUInt32BE(data.length, 0);
  body.copy(framed, 4);
  framed.writeUInt32BE(crc32(body), body.length + 4);
  return framed;
}

/** A small PNG of a sunset: what a person photographs when nobody gives a picture. */
export function createSamplePicture(width = 160, height = 120): Buffer {
  const pixels = Buffer.alloc((width * 3 + 1) * height);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const isSun = (x - width * 0.65) ** 2 + (y - height * 0.55) ** 2 < (height * 0.16) ** 2;
      const isSea = y > height * 0.68;
      const depth = y / height;
      const sky = [40 + 215 * depth, 60 + 110 * depth, 130 - 30 * depth];
      const sea = [20 + 40 * depth, 60 + 60 * (1 - depth), 90 + 40 * (1 - depth)];
      const color = isSea ? sea : isSun ? [255, 226, 150] : sky;
      pixels.set(color.map(Math.round), y * (width * 3 + 1) + 1 + x * 3);
    }
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([
    signature,
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(pixels)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}
