import { group, type Verb } from './verb.ts';

/** All verbs, in the order the help shows them. Each is loaded when it is asked for. */
export const root: Verb = group({
  name: 'px',
  summary: 'A personal AI agent in one file.',
  examples: ['px serve', 'px chat "what time is it?"', 'px plugin add ./weather.ts', 'px doctor'],
  verbs: {
    serve: async () => (await import('./verb/serve.ts')).serve,
    chat: async () => (await import('./verb/chat.ts')).chat,
    tui: async () => (await import('./verb/tui.ts')).tui,
    status: async () => (await import('./verb/status.ts')).status,
    portal: async () => (await import('./verb/portal.ts')).portal,
    plugin: async () => (await import('./verb/plugin.ts')).plugin,
    memory: async () => (await import('./verb/memory.ts')).memory,
    mcp: async () => (await import('./verb/mcp.ts')).mcp,
    import: async () => (await import('./verb/import.ts')).importing,
    audit: async () => (await import('./verb/audit.ts')).audit,
    config: async () => (await import('./verb/config.ts')).config,
    model: async () => (await import('./verb/model.ts')).model,
    secret: async () => (await import('./verb/secret.ts')).secret,
    context: async () => (await import('./verb/context.ts')).context,
    usage: async () => (await import('./verb/usage.ts')).usage,
    pairing: async () => (await import('./verb/pairing.ts')).pairing,
    approvals: async () => (await import('./verb/approvals.ts')).approvals,
    inbox: async () => (await import('./verb/inbox.ts')).inbox,
    outbox: async () => (await import('./verb/outbox.ts')).outbox,
    schedule: async () => (await import('./verb/schedule.ts')).schedule,
    service: async () => (await import('./verb/service.ts')).service,
    doctor: async () => (await import('./verb/doctor.ts')).doctor,
    completions: async () => (await import('./verb/completions.ts')).completions,
    man: async () => (await import('./verb/man.ts')).man,
  },
});
