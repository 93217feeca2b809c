# /etc/varnish/default.vcl, the same on both hosts: a cache before the balancer of the same host. Visitors come to varnishd's
# port, and Apache or HAProxy listens on 127.0.0.1:8079, say.
#
# Check this file with: varnishd -C -f default.vcl
vcl 4.1;

import std;

backend balancer {
    .host = "127.0.0.1";
    .port = "8079";
    .connect_timeout = 2s;
    # As long as the balancer lets a request wait for a Zope client, and more.
    .first_byte_timeout = 70s;
    .between_bytes_timeout = 60s;
    # A site that fails over does not answer: what is cached is shown at once, and not only after the wait.
    .probe = {
        .request = "GET / HTTP/1.1" "Host: www.example.org" "Connection: close" "User-Agent: varnish probe";
        .interval = 1s;
        .timeout = 2s;
        .window = 3;
        .threshold = 2;
    }
}

# The same, unasked: a page that is not cached waits in the balancer.
backend waiting {
    .host = "127.0.0.1";
    .port = "8079";
    .connect_timeout = 2s;
    .first_byte_timeout = 70s;
    .between_bytes_timeout = 60s;
}

# Plone's plone.cachepurging sends PURGE from the Zope clients.
acl purgers {
    "localhost";
    "192.168.1.11";
    "192.168.1.12";
}

sub vcl_recv {
    set req.backend_hint = balancer;
    if (req.method == "PURGE") {
        if (client.ip !~ purgers) {
            return (synth(405, "not from here"));
        }
        return (purge);
    }
    if (req.method != "GET" && req.method != "HEAD") {
        return (pass);
    }
    # Someone who has logged in, or has a session, sees pages of his own.
    if (req.http.Authorization || req.http.Cookie ~ "(^|; *)(__ac|_ZopeId|statusmessages)=") {
        return (pass);
    }
    # The cookie of the balancer names a host, and changes no page.
    unset req.http.Cookie;
    # Fresh pages only while there is somebody who makes them.
    if (std.healthy(req.backend_hint)) {
        set req.grace = 10s;
    }
    return (hash);
}

sub vcl_backend_fetch {
    if (!std.healthy(bereq.backend)) {
        set bereq.backend = waiting;
    }
}

sub vcl_backend_response {
    # A page is kept for an hour after its time, for a site that fails over.
    set beresp.grace = 1h;
    # An answer that failed replaces no page that is there.
    if (beresp.status >= 500 && bereq.is_bgfetch) {
        return (abandon);
    }
    if (bereq.uncacheable) {
        return (deliver);
    }
    # Visitors share what is cached, and must not share a cookie. Only the balancer's may be dropped. To see all of them they have
    # to be joined, which spoils them: so a page with others is fetched again, as it is, and not cached for two minutes.
    if (bereq.retries > 0) {
        set beresp.ttl = 120s;
        set beresp.uncacheable = true;
        return (deliver);
    }
    std.collect(beresp.http.Set-Cookie);
    if (beresp.http.Set-Cookie ~ "^ROUTEID=[^,=]*(; *(path|HttpOnly|SameSite|Secure)(=[^,;]*)?)*$") {
        unset beresp.http.Set-Cookie;
    }
    if (beresp.http.Set-Cookie) {
        return (retry);
    }
}

sub vcl_deliver {
    if (obj.hits > 0) {
        set resp.http.X-Cache = "hit";
    } else {
        set resp.http.X-Cache = "miss";
    }
}
