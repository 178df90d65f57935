import { resolve } from 'node:path';
import { PxError } from '../../error/error.ts';
import { auditTools } from '../../memory/memory.ts';
import { group, verb } from '../verb.ts';

const file = { type: 'positional', required: true, description: 'The file.' } as const;

const verify = verb({
  name: 'verify',
  summary: 'Check that nothing in the journals was altered, moved or cut off.',
  details:
    'Reads the files alone, no px has to run. Exit 1 when something does not fit; the first place of each conversation is named.',
  args: {},
  examples: ['px audit verify'],
  async run({ home, io, json }) {
    const { verifyJournals, headsPath } = await auditTools();
    const found = await verifyJournals(home.memory, headsPath(home.state));
    if (json) io.data({ ok: found.problems.length === 0, ...found });
    else {
      for (const { path, line, reason } of found.problems) io.line(`memory/${path}:${line}: ${reason}`);
      if (found.problems.length === 0)
        io.line(`All well: ${found.entries} entries; conversations: ${found.conversations}, files: ${found.files}.`);
    }
    return found.problems.length === 0 ? 0 : 1;
  },
});

const show = verb({
  name: 'show',
  summary: 'Show what px did, when, for whom and with which tool.',
  args: {
    day: {
      type: 'positional',
      required: false,
      description: 'today, yesterday, tuesday, 2025-11-22, 2025-11, 2025-11-01..2025-11-07; everything when left out.',
    },
    tool: { type: 'string', description: 'Only calls of this tool; web* for all that begin so.', valueHint: 'NAME' },
    conversation: { type: 'string', description: 'Only this conversation.', valueHint: 'CHANNEL/CHAT' },
    by: { type: 'string', description: 'Only what this person asked for or approved.', valueHint: 'NAME' },
    all: { type: 'boolean', description: 'Everything that was said too.' },
  },
  examples: ['px audit show tuesday', 'px audit show --tool web-fetch', 'px audit show yesterday --by Ada --all'],
  async run({ args, home, io, json }) {
    const { auditLines, periodOf } = await auditTools();
    const period = args.day === undefined ? undefined : periodOf(args.day);
    if (args.day !== undefined && !period)
      throw new PxError('usage', `“${args.day}” is no day px knows.`, {
        hint: 'today, yesterday, tuesday, 2025-11-22, 2025-11, 2025-11-01..2025-11-07',
      });
    const lines = await auditLines(home.memory, {
      ...(period ? { period } : {}),
      ...(args.tool === undefined ? {} : { tool: args.tool }),
      ...(args.conversation === undefined ? {} : { conversation: args.conversation }),
      ...(args.by === undefined ? {} : { by: args.by }),
      ...(args.all ? { all: true } : {}),
    });
    if (json) io.data(lines);
    else if (lines.length === 0) io.line('Nothing.');
    for (const one of json ? [] : lines) {
      const ended = one.ms === undefined ? '' : ` → ${one.ok ? 'ok' : 'failed'}, ${one.ms} ms`;
      const approved = one.approval ? `, ${one.approval.decision} by ${one.approval.by}` : '';
      const when = new Date(one.at).toLocaleString('sv').slice(0, 19);
      io.line(`${when}  ${one.conversation}  ${io.bold(one.what)}${ended}${approved}`);
      io.line(`  ${one.detail.slice(0, 200)}`);
      io.line(io.dim(`  memory/${one.path}#${one.line}${one.asked ? `, asked by ${one.asked}` : ''}`));
    }
    return 0;
  },
});

const exportTo = verb({
  name: 'export',
  summary: 'Write journals and logs into one signed file.',
  details:
    'A tar file with the journals, the log and a manifest signed with the Ed25519 key of this home (state/audit.key, made when first needed). Tell the key that is printed to whoever will check the file.',
  args: { file },
  examples: ['px audit export audit.tar'],
  async run({ args, home, io, json, version }) {
    const { exportAudit } = await auditTools();
    const done = await exportAudit(home, resolve(args.file), version);
    if (json) io.data(done);
    else io.line(`${args.file}: ${done.files} files, ${done.bytes} bytes, signed with key ${done.key}.`);
    return 0;
  },
});

const check = verb({
  name: 'check',
  summary: 'Check a file made by px audit export, without the home it came from.',
  args: { file, key: { type: 'string', description: 'The key it must be signed with.', valueHint: 'KEY' } },
  examples: ['px audit check audit.tar', 'px audit check audit.tar --key 3f2a…'],
  async run({ args, home, io, json }) {
    const { checkAudit } = await auditTools();
    const found = await checkAudit(resolve(args.file), home.state);
    if (args.key !== undefined && args.key.toLowerCase() !== found.key)
      found.problems.unshift(`signed with key ${found.key}, not ${args.key}`);
    const ok = found.problems.length === 0;
    if (json) io.data({ ...found, ok });
    else {
      for (const problem of found.problems) io.line(problem);
      const whose =
        found.ours === undefined ? '' : found.ours ? ', the key of this home' : ', not the key of this home';
      if (ok) io.line(`All well: ${found.entries} entries; files: ${found.files}.`);
      io.line(`Made ${new Date(found.made).toLocaleString('sv')}, signed with key ${found.key}${whose}.`);
    }
    return ok ? 0 : 1;
  },
});

/** `px audit …`. */
export const audit = group({
  name: 'audit',
  summary: 'Check, read and export what px did.',
  examples: ['px audit verify', 'px audit show tuesday'],
  verbs: {
    verify: async () => verify,
    show: async () => show,
    export: async () => exportTo,
    check: async () => check,
  },
});
