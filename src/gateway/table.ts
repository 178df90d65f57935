import { openAiRoutes } from './openai/routes.ts';
import { approvalRoutes } from './route/approvals.ts';
import { auditRoutes } from './route/audit.ts';
import { configFileRoutes } from './route/config-file.ts';
import { conversationRoutes } from './route/conversations.ts';
import { hookRoutes } from './route/hooks.ts';
import { mcpRoutes } from './route/mcp.ts';
import { memoryRoutes } from './route/memory.ts';
import { messageRoutes } from './route/messages.ts';
import { modelTestRoutes } from './route/model-test.ts';
import { pluginRoutes } from './route/plugins.ts';
import { scheduleRoutes } from './route/schedule.ts';
import { serverRoutes } from './route/server.ts';
import { settingsRoutes } from './route/settings.ts';
import { uploadRoutes } from './route/uploads.ts';
import { usageRoutes } from './route/usage.ts';
import type { Route } from './route.ts';

/** Every endpoint px serves over HTTP; the handler is registered and /openapi.json is made from this one list. */
export const routes: readonly Route[] = [
  ...serverRoutes,
  ...conversationRoutes,
  ...messageRoutes,
  ...hookRoutes,
  ...approvalRoutes,
  ...scheduleRoutes,
  ...pluginRoutes,
  ...uploadRoutes,
  ...memoryRoutes,
  ...auditRoutes,
  ...settingsRoutes,
  ...configFileRoutes,
  ...modelTestRoutes,
  ...usageRoutes,
  ...mcpRoutes,
  ...openAiRoutes,
];
