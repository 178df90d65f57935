export * from './api.ts';
export * from './approval.ts';
export * from './attachment.ts';
export * from './bus.ts';
export * from './conversation.ts';
export * from './event.ts';
export * from './json.ts';
