import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { PxError } from '../../error/error.ts';
import { route } from '../route.ts';

const mostBytes = 64 * 1024 * 1024;

/** Files a browser brings. */
export const uploadRoutes = [
  route({
    method: 'POST',
    path: '/api/uploads/{name}',
    summary: 'Keeps the bytes of the body as a file from which a plugin can be added; the one before is dropped.',
    auth: 'token',
    params: v.object({
      name: v.pipe(
        v.string(),
        v.regex(/^[\w][\w.-]{0,99}\.(?:wasm|[cm]?[jt]s)$/, 'a file name that ends in .wasm, .ts or .js'),
      ),
    }),
    reply: v.object({ path: v.string(), bytes: v.number() }),
    status: 201,
    async run({ app, params, request }) {
      const chunks: Uint8Array[] = [];
      let size = 0;
      for await (const chunk of request.body ?? []) {
        size += chunk.byteLength;
        if (size > mostBytes) throw new PxError('too-large', `The file is larger than ${mostBytes} bytes.`);
        chunks.push(chunk);
      }
      if (size === 0) throw new PxError('gateway.bad-request', 'The file is empty.');
      const root = join(app.home.state, 'uploads');
      await mkdir(root, { recursive: true, mode: 0o700 });
      for (const old of await readdir(root)) await rm(join(root, old), { recursive: true, force: true });
      const folder = join(root, crypto.randomUUID());
      await mkdir(folder, { mode: 0o700 });
      const path = join(folder, params.name);
      await writeFile(path, Buffer.concat(chunks), { mode: 0o600 });
      return { path, bytes: size };
    },
  }),
];
