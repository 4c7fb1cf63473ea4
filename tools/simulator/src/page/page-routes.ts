import { readFile } from 'node:fs/promises';
import type { FastifyInstance } from 'fastify';

/** The page's files: they stand beside `src` and `dist`, so both find them. */
const folder = new URL('../../public/', import.meta.url);
const files = {
  '/': ['index.html', 'text/html; charset=utf-8'],
  '/page.css': ['page.css', 'text/css; charset=utf-8'],
  '/page.js': ['page.js', 'text/javascript; charset=utf-8'],
  '/shop.js': ['shop.js', 'text/javascript; charset=utf-8'],
  '/render.js': ['render.js', 'text/javascript; charset=utf-8'],
  '/icon.svg': ['icon.svg', 'image/svg+xml'],
} as const;

const headers = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-cache',
};

/** Serves the phone at `/`. */
export async function pageRoutes(app: FastifyInstance): Promise<void> {
  for (const [path, [name, type]] of Object.entries(files)) {
    app.get(path, async (_request, reply) => {
      const content = await readFile(new URL(name, folder));
      return reply.headers(headers).type(type).send(content);
    });
  }
}
