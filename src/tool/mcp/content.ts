import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js';

/** What a tool answered as text for a model; what is no text is named, not passed on. */
export function resultText(result: CallToolResult): string {
  const parts = result.content.map((part): string => {
    switch (part.type) {
      case 'text':
        return part.text;
      case 'image':
      case 'audio':
        return `(${part.type} of type ${part.mimeType}, ${Math.floor((part.data.length * 3) / 4)} bytes)`;
      case 'resource':
        return 'text' in part.resource ? part.resource.text : `(file ${part.resource.uri})`;
      case 'resource_link':
        return `(link: ${part.name}, ${part.uri})`;
      default:
        return '';
    }
  });
  const text = parts.filter((part) => part !== '').join('\n');
  if (text === '' && result.structuredContent) return JSON.stringify(result.structuredContent);
  return text;
}
