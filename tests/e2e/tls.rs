//! Feeds behind TLS, over HTTP/1.1 and HTTP/2: read where the certificate is trusted, refused where it is not.

use std::{convert::Infallible, fs, net::SocketAddr, path::Path, sync::Arc};

use hyper::{Request, Response, body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::{ServerConfig, pki_types::PrivatePkcs8KeyDer};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::support::{Backend, Site, chipwire, runtime};

/// Starts an origin that speaks `protocol` and nothing else, with a certificate that is signed by what is written to `ca`.
fn serve(protocol: &'static str, ca: &Path) -> SocketAddr {
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority_key = KeyPair::generate().unwrap();
    fs::write(ca, authority.self_signed(&authority_key).unwrap().pem()).unwrap();
    let issuer = Issuer::new(authority, authority_key);
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(["localhost".to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
    runtime().block_on(async {
        let key = PrivatePkcs8KeyDer::from(key.serialize_der()).into();
        let mut config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        config.alpn_protocols = vec![protocol.into()];
        let (acceptor, listener) =
            (TlsAcceptor::from(Arc::new(config)), TcpListener::bind("127.0.0.1:0").await.unwrap());
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    // Who does not trust the certificate goes away.
                    let Ok(socket) = acceptor.accept(socket).await else { return };
                    let answer = service_fn(|request: Request<Incoming>| async move {
                        let title = format!("Over {:?}", request.version());
                        let item = "<item><guid>1</guid><title>One</title></item>";
                        let feed = format!("<rss version='2.0'><channel><title>{title}</title>{item}</channel></rss>");
                        Ok::<_, Infallible>(Response::new(feed))
                    });
                    let _ =
                        auto::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(socket), answer).await;
                });
            }
        });
        address
    })
}

#[test]
fn certificates_are_checked_and_the_protocol_is_agreed_on() {
    let site = Site::new(Backend::Sqlite, "tls");
    let config = fs::read_to_string(site.config()).unwrap();
    fs::write(site.config(), config.replace("[\"127.0.0.1\"]", "[\"127.0.0.1\", \"localhost\"]")).unwrap();
    let ca = site.folder.path().join("ca.pem");
    for (protocol, version) in [("h2", "HTTP/2.0"), ("http/1.1", "HTTP/1.1")] {
        let address = serve(protocol, &ca);
        let add = |url: String, trusted: bool| {
            let mut command = chipwire(&site.config(), &["feeds", "add", &url]);
            if trusted {
                command.env("SSL_CERT_FILE", &ca);
            }
            let output = command.output().unwrap();
            [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat()
        };
        let said = add(format!("https://localhost:{}/feed", address.port()), true);
        assert!(said.contains(&format!("Over {version} (1 entries")), "{said}");
        let said = add(format!("https://localhost:{}/other", address.port()), false);
        assert!(said.contains("no secure connection to `localhost`") && !said.contains("Over"), "{said}");
        // The certificate is for another name.
        let said = add(format!("https://{address}/third"), true);
        assert!(said.contains("no secure connection to `127.0.0.1`") && !said.contains("Over"), "{said}");
    }
}
