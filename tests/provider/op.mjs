// Two OpenID Providers for the tests, one for traders and one for the agency, in one process.
//
// It is told by one JSON line on standard input what Fairway's clients are, and answers with one
// line: the two issuers. Then it serves until its standard input ends. Beside the protocol it has
// an address POST /control, by which a test makes it rotate its key or misbehave once.

import http from 'node:http';
import readline from 'node:readline';
import Provider from 'oidc-provider';
import { SignJWT, decodeJwt, exportJWK, generateKeyPair, importJWK } from 'jose';

const ACCOUNTS = {
  ada: { email: 'ada@example.com', email_verified: true },
  nia: { email: 'nia@example.com', email_verified: true, name: 'Nia Field' },
  una: { email: 'una@example.com', email_verified: false },
  rae: { email: 'rae@agency.example', email_verified: true, name: 'Rae Cole' },
};

const ACR_VALUES = [
  'http://idmanagement.gov/ns/assurance/aal/1',
  'http://idmanagement.gov/ns/assurance/aal/2',
  'http://idmanagement.gov/ns/assurance/aal/2?phishing_resistant=true',
  'http://idmanagement.gov/ns/assurance/aal/3',
  'phr',
];

class Side {
  constructor(name) {
    this.name = name;
    this.mischief = {};
    this.generation = 0;
    this.server = http.createServer((request, response) => this.answer(request, response));
  }

  async listen(host) {
    await new Promise((ready) => this.server.listen(0, host, ready));
    this.issuer = `http://${host}:${this.server.address().port}`;
  }

  async build(client) {
    this.client = client;
    this.generation += 1;
    const { privateKey } = await generateKeyPair('RS256', { extractable: true });
    this.key = {
      ...(await exportJWK(privateKey)),
      kid: `${this.name}-${this.generation}`,
      use: 'sig',
      alg: 'RS256',
    };
    const provider = new Provider(this.issuer, {
      clients: [
        {
          token_endpoint_auth_method: 'private_key_jwt',
          token_endpoint_auth_signing_alg: client.alg,
          grant_types: ['authorization_code'],
          response_types: ['code'],
          ...client.registration,
        },
      ],
      jwks: { keys: [this.key] },
      clientAuthMethods: ['private_key_jwt'],
      enabledJWA: {
        clientAuthSigningAlgValues: ['RS256', 'ES256'],
      },
      pkce: { required: () => true },
      acrValues: ACR_VALUES,
      claims: {
        acr: null,
        auth_time: null,
        iss: null,
        openid: ['sub'],
        email: ['email', 'email_verified'],
        profile: ['name'],
      },
      conformIdTokenClaims: client.bare ?? false,
      features: { devInteractions: { enabled: false }, rpInitiatedLogout: { enabled: true } },
      interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
      findAccount: (_ctx, sub) =>
        ACCOUNTS[sub] && { accountId: sub, claims: async () => ({ sub, ...ACCOUNTS[sub] }) },
      // Consent is not what these tests are about: every scope that is asked for is granted.
      loadExistingGrant: async (ctx) => {
        const grant = new ctx.oidc.provider.Grant({
          clientId: ctx.oidc.client.clientId,
          accountId: ctx.oidc.session.accountId,
        });
        grant.addOIDCScope('openid email profile');
        await grant.save();
        return grant;
      },
      cookies: { keys: ['for tests only'] },
      ttl: { Session: 3600, Interaction: 600, Grant: 3600, AccessToken: 600, IdToken: 600 },
    });
    provider.use(async (ctx, next) => {
      await next();
      if (ctx.oidc?.route === 'token' && ctx.status === 200) await this.spoil(ctx);
      if (ctx.oidc?.route === 'userinfo' && this.mischief.userinfo_sub) {
        ctx.body = { ...ctx.body, sub: this.mischief.userinfo_sub };
      }
      if (ctx.path === '/.well-known/openid-configuration' && this.mischief.metadata) {
        ctx.body = { ...ctx.body, ...this.mischief.metadata };
      }
    });
    this.provider = provider;
    this.handler = provider.callback();
  }

  // What a broken or hostile provider might put in place of its ID token.
  async spoil(ctx) {
    const { claims, tamper, drop, unsigned, foreign } = this.mischief;
    if (drop) delete ctx.body.id_token;
    if (tamper) {
      const [header, , signature] = ctx.body.id_token.split('.');
      const changed = { ...decodeJwt(ctx.body.id_token), ...tamper };
      const payload = Buffer.from(JSON.stringify(changed)).toString('base64url');
      ctx.body.id_token = [header, payload, signature].join('.');
    }
    if (unsigned) {
      const header = Buffer.from('{"alg":"none"}').toString('base64url');
      ctx.body.id_token = [header, ctx.body.id_token.split('.')[1], ''].join('.');
    }
    if (claims || foreign) {
      const changed = { ...decodeJwt(ctx.body.id_token), ...claims };
      for (const [name, value] of Object.entries(changed)) {
        if (value === null) delete changed[name];
      }
      const pair = foreign && (await generateKeyPair('RS256', { extractable: true }));
      const key = pair ? pair.privateKey : await importJWK(this.key, 'RS256');
      ctx.body.id_token = await new SignJWT(changed)
        .setProtectedHeader({ alg: 'RS256', kid: this.key.kid })
        .sign(key);
    }
  }

  async answer(request, response) {
    try {
      const { pathname } = new URL(request.url, this.issuer);
      if (pathname === '/control' && request.method === 'POST') {
        await this.control(JSON.parse(await text(request)));
        response.end('{}');
      } else if (pathname.startsWith('/interaction/')) {
        await this.interact(request, response);
      } else if (this.mischief.down) {
        response.writeHead(503).end('away');
      } else {
        await this.handler(request, response);
      }
    } catch (error) {
      response.writeHead(500).end(String(error));
    }
  }

  async control(order) {
    if (order.rotate) await this.build(this.client);
    this.mischief = order.mischief ?? {};
  }

  // The page on which a person signs in; a form on the provider's side, without any script.
  async interact(request, response) {
    const details = await this.provider.interactionDetails(request, response);
    if (request.method === 'GET') {
      response.setHeader('Content-Type', 'application/json');
      response.end(JSON.stringify({ prompt: details.prompt, params: details.params }));
      return;
    }
    const form = new URLSearchParams(await text(request));
    const result = form.has('cancel')
      ? { error: form.get('cancel'), error_description: 'End-User aborted interaction' }
      : { login: { accountId: form.get('login'), acr: form.get('acr') || undefined } };
    await this.provider.interactionFinished(request, response, result, {
      mergeWithLastSubmission: false,
    });
  }
}

async function text(request) {
  let all = '';
  for await (const piece of request) all += piece;
  return all;
}

const lines = readline.createInterface({ input: process.stdin });
lines.once('line', async (line) => {
  const told = JSON.parse(line);
  const sides = { trader: new Side('trader'), agency: new Side('agency') };
  const issuers = {};
  for (const [name, side] of Object.entries(sides)) {
    await side.listen('127.0.0.1');
    await side.build(told[name]);
    issuers[name] = side.issuer;
  }
  process.stdout.write(`${JSON.stringify(issuers)}\n`);
});
lines.once('close', () => process.exit(0));
