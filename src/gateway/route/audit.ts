import * as v from 'valibot';
import { PxError } from '../../error/error.ts';
import { auditTools } from '../../memory/memory.ts';
import { route } from '../route.ts';
import * as s from '../schema.ts';

const words = (what: string, most = 300) => v.optional(v.pipe(v.string(), v.maxLength(most), v.description(what)));

/** What px did, read from the journals, and whether they are as px wrote them. */
export const auditRoutes = [
  route({
    method: 'GET',
    path: '/api/audit',
    summary: 'What px did, when, for whom and with which tool; the latest last.',
    auth: 'token',
    query: v.object({
      day: words('today, tuesday, 2025-11-22, 2025-11, 2025-11-01..2025-11-07; everything when left out.', 60),
      tool: words('Only calls of this tool; `web*` for all that begin so.', 100),
      conversation: words('Only this conversation, as channel/chat.'),
      by: words('Only what this person asked for or approved.'),
      all: v.optional(v.pipe(v.picklist(['yes', 'no']), v.description('`yes`: everything that was said too.')), 'no'),
      limit: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(5000)), 500),
    }),
    reply: v.object({ lines: v.array(s.auditLine), more: v.boolean() }),
    async run({ app, query: { day, all, limit, tool, conversation, by } }) {
      const { auditLines, periodOf } = await auditTools();
      const period = day === undefined ? undefined : periodOf(day);
      if (day !== undefined && !period)
        throw new PxError('usage', `“${day}” is no day px knows.`, {
          hint: 'today, yesterday, tuesday, 2025-11-22, 2025-11, 2025-11-01..2025-11-07',
        });
      const lines = await auditLines(app.home.memory, {
        ...(period ? { period } : {}),
        ...(tool === undefined ? {} : { tool }),
        ...(conversation === undefined ? {} : { conversation }),
        ...(by === undefined ? {} : { by }),
        ...(all === 'yes' ? { all: true } : {}),
      });
      return { lines: lines.slice(-limit), more: lines.length > limit };
    },
  }),
  route({
    method: 'POST',
    path: '/api/audit/verify',
    summary: 'Checks every journal against its hashes and against where px left it.',
    auth: 'token',
    reply: s.auditVerdict,
    async run({ app, unhurried }) {
      unhurried();
      const { headsPath, verifyJournals } = await auditTools();
      return verifyJournals(app.home.memory, headsPath(app.home.state));
    },
  }),
];
