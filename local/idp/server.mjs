// An OAuth server for the test: the certified oidc-provider, with one
// machine-to-machine client whose secret stands in a file, so that it can be
// changed by hand while the server runs.
//
//   node server.mjs <certificate.pem> <key.pem> <client.json>
//
// Prints its issuer when it listens. client.json is {"id": …, "secret": …}.
import { generateKeyPairSync } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import { Provider } from "oidc-provider";

const [certificate, key, clientFile] = process.argv.slice(2);

// The provider's storage: in memory, but for the client.
class Storage {
  static kept = new Map();
  constructor(model) { this.model = model; }
  async find(id) {
    if (this.model !== "Client") return Storage.kept.get(this.model + id);
    const client = JSON.parse(readFileSync(clientFile, "utf8"));
    return client.id !== id ? undefined : {
      client_id: client.id, client_secret: client.secret, token_endpoint_auth_method: "client_secret_post",
      grant_types: ["client_credentials"], redirect_uris: [], response_types: [],
    };
  }
  async upsert(id, payload) { Storage.kept.set(this.model + id, payload); }
  async destroy(id) { Storage.kept.delete(this.model + id); }
}

const signing = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ format: "jwk" });
const server = createServer({ cert: readFileSync(certificate), key: readFileSync(key) });
server.listen(0, "127.0.0.1", () => {
  const issuer = `https://localhost:${server.address().port}`;
  const provider = new Provider(issuer, {
    adapter: Storage,
    jwks: { keys: [{ ...signing, kid: "1", use: "sig", alg: "RS256" }] },
    ttl: { ClientCredentials: 3600 },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        // The request's own parameter, the way Auth0 has it. Without one the
        // token would be opaque.
        defaultResource: (ctx) => ctx.oidc.body.audience,
        getResourceServerInfo: (ctx, audience) => ({
          audience, scope: "events/write", accessTokenFormat: "jwt", accessTokenTTL: 3600, jwt: { sign: { alg: "RS256" } },
        }),
      },
    },
  });
  server.on("request", provider.callback());
  console.log(issuer);
});
