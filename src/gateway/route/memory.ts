import * as v from 'valibot';
import { route } from '../route.ts';
import * as s from '../schema.ts';

const path = v.pipe(v.string(), v.minLength(1), v.maxLength(1000), v.description('Path below memory/.'));
const under = v.optional(v.pipe(v.string(), v.maxLength(1000), v.description('Only below this folder of memory/.')));

const change = v.pipe(v.number(), v.integer(), v.minValue(1), v.description('Number of a change.'));

/** Notes, the search over them, and what px changed in them. */
export const memoryRoutes = [
  route({
    method: 'GET',
    path: '/api/memory/search',
    summary: 'Full-text search over everything below memory/.',
    auth: 'token',
    query: v.object({
      q: v.pipe(
        v.string(),
        v.minLength(1),
        v.description('Words to look for; the first 4,000 characters of them are.'),
      ),
      limit: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(100)), 10),
      under,
      when: v.optional(
        v.pipe(
          v.string(),
          v.maxLength(60),
          v.description('Only of this day or time: tuesday, 2025-11, 2025-11-01..2025-11-07.'),
        ),
      ),
      speaker: v.optional(
        v.pipe(v.string(), v.maxLength(100), v.description('Only where this person, or px, speaks.')),
      ),
      tag: v.optional(
        v.pipe(
          v.string(),
          v.maxLength(100),
          v.description('Only passages with this #tag, and notes with it in their front matter.'),
        ),
      ),
    }),
    reply: v.object({ hits: v.array(s.searchHit) }),
    run: async ({ app, query }) => {
      await app.memory.fresh();
      const hits = app.memory.search(query.q, {
        limit: query.limit,
        ...(query.under === undefined ? {} : { under: query.under }),
        ...(query.when === undefined ? {} : { when: query.when }),
        ...(query.speaker === undefined ? {} : { speaker: query.speaker }),
        ...(query.tag === undefined ? {} : { tag: query.tag }),
      });
      return { hits };
    },
  }),
  route({
    method: 'GET',
    path: '/api/memory/notes',
    summary: 'Paths of the notes, sorted.',
    auth: 'token',
    query: v.object({ under }),
    reply: v.object({ notes: v.array(v.string()) }),
    run: async ({ app, query }) => ({ notes: await app.memory.list(query.under) }),
  }),
  route({
    method: 'GET',
    path: '/api/memory/note',
    summary: 'Lines of one note.',
    auth: 'token',
    query: v.object({
      path,
      from: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1)), 1),
      lines: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(100_000)), 2000),
    }),
    reply: s.noteReply,
    run: ({ app, query }) => app.memory.get(query.path, query.from, query.lines),
  }),
  route({
    method: 'PUT',
    path: '/api/memory/note',
    summary: 'Writes or appends to a note.',
    auth: 'token',
    body: v.object({ path, text: v.string(), mode: v.optional(v.picklist(['append', 'replace']), 'append') }),
    reply: v.object({ path: v.string(), line: v.number() }),
    run: ({ app, body }) => app.memory.write(body.path, body.text, body.mode),
  }),
  route({
    method: 'GET',
    path: '/api/memory/changes',
    summary: 'Changes px made to notes, latest first.',
    auth: 'token',
    query: v.object({
      path: v.optional(path),
      conversation: v.optional(v.pipe(v.string(), v.maxLength(300), v.description('Only those of this conversation.'))),
      limit: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1000)), 50),
    }),
    reply: v.object({ changes: v.array(s.noteChange) }),
    run: async ({ app, query }) => ({
      changes: await app.memory.history.log({
        limit: query.limit,
        ...(query.path === undefined ? {} : { path: query.path }),
        ...(query.conversation === undefined ? {} : { conversation: query.conversation }),
      }),
    }),
  }),
  route({
    method: 'GET',
    path: '/api/memory/changes/{change}',
    summary: 'One change as a unified diff.',
    auth: 'token',
    params: v.object({ change: v.pipe(v.string(), v.regex(/^[1-9]\d{0,14}$/, 'a change is a number from 1 up')) }),
    reply: v.object({ n: v.number(), path: v.string(), diff: v.string() }),
    run: ({ app, params }) => app.memory.history.diff(Number(params.change)),
  }),
  route({
    method: 'POST',
    path: '/api/memory/undo',
    summary:
      'Takes one change back; what was written since stays. 409 with `data.merged` when both touch the same lines.',
    auth: 'token',
    body: v.object({ change }),
    reply: s.undoReply,
    errors: [409],
    run: ({ app, body }) => app.memory.history.undo(body.change),
  }),
  route({
    method: 'GET',
    path: '/api/memory/index',
    summary: 'How well the index fits the files as they are now.',
    auth: 'token',
    reply: v.object({
      files: v.number(),
      stale: v.pipe(v.number(), v.description('Files the index has an old state of, or none.')),
      gone: v.pipe(v.number(), v.description('Files it has that are not there any more.')),
      large: v.pipe(
        v.array(v.string()),
        v.description('A few files that are larger than memory.max_file_bytes and not searched.'),
      ),
    }),
    run: ({ app, unhurried }) => {
      unhurried();
      return app.memory.compare();
    },
  }),
  route({
    method: 'POST',
    path: '/api/memory/rebuild',
    summary: 'Drops and remakes the index from Markdown, and lets paired people in again whom the database lost.',
    auth: 'token',
    reply: v.object({ notes: v.number(), chunks: v.number(), people: v.number() }),
    run: async ({ app, unhurried }) => {
      unhurried();
      await app.memory.rebuild();
      await app.memory.settled();
      return { ...app.memory.stats(), people: app.channels.pairing.restore() };
    },
  }),
];
