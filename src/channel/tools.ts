import { PxError } from '../error/error.ts';
import type { Tool } from '../tool/tool.ts';
import type { JsonObject } from '../wire/wire.ts';
import type { Channels } from './channel.ts';

/** What the agent can do in a chat beside answering. Offered while a connector runs that can do it. */
export function channelTools(channels: Pick<Channels, 'can' | 'react' | 'sendFile'>): () => Tool[] {
  const sendFile: Tool = {
    name: 'send_file',
    description: 'Send a file of memory/ to this chat (picture, voice, document), with a caption.',
    parameters: {
      type: 'object',
      properties: { path: { type: 'string', maxLength: 500 }, caption: { type: 'string', maxLength: 1000 } },
      required: ['path'],
      additionalProperties: false,
    },
    origin: 'px',
    reach: 'sends',
    async run(args, { conversation }) {
      const { name, size } = await channels.sendFile(conversation, word(args, 'path'), word(args, 'caption'));
      return `${name} (${size} bytes) is on its way.`;
    },
  };
  const react: Tool = {
    name: 'react',
    description: 'Put an emoji on the latest message, such as 👍 ❤ 👀 🎉; empty takes it away.',
    parameters: {
      type: 'object',
      properties: { emoji: { type: 'string', maxLength: 16 } },
      required: ['emoji'],
      additionalProperties: false,
    },
    origin: 'px',
    reach: 'inside',
    async run(args, { conversation }) {
      try {
        await channels.react(conversation, word(args, 'emoji'));
      } catch (thrown) {
        if (thrown instanceof PxError && thrown.code === 'plugin.guest')
          throw new PxError('channel.delivery', `The platform did not take it: ${thrown.message}`);
        throw thrown;
      }
      return 'Done.';
    },
  };
  return () => [...(channels.can('files') ? [sendFile] : []), ...(channels.can('react') ? [react] : [])];
}

function word(args: JsonObject, name: string): string {
  const value = args[name];
  return typeof value === 'string' ? value : '';
}
