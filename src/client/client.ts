/** Where a running px of a home is reached: written by the gateway to `state/gateway.json` (0600), removed when it stops. */
export interface GatewayAddress {
  url: string;
  token: string;
  pid: number;
}
