import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js';
import type { ImagePart } from '../../wire/wire.ts';

/** What a tool answered, for a model. */
export interface McpAnswer {
  text: string;
  images: ImagePart[];
}

/** Most pictures of one answer, and characters of base64 in one. */
const mostImages = 4;
const mostData = 7_000_000;

/** The pictures of an answer that a model can be shown: of the kinds they all take, a few, and none of any size. */
export function resultImages({ content }: CallToolResult): ImagePart[] {
  return content
    .flatMap((part): ImagePart[] =>
      part.type === 'image' && /^image\/(?:png|jpeg|gif|webp)$/.test(part.mimeType) && part.data.length <= mostData
        ? [{ type: 'image', mime: part.mimeType, data: part.data }]
        : [],
    )
    .slice(0, mostImages);
}

/** What a tool answered as text for a model; what is no text is named. */
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
