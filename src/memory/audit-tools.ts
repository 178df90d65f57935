export { auditLines } from './audit.ts';
export { checkAudit, exportAudit } from './audit-bundle.ts';
export { headsPath } from './heads.ts';
export { verifyJournals } from './journal-verify.ts';
export { periodOf } from './when.ts';
