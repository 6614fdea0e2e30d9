//! The proxy that `route.proxy` names, taken apart: its address may be shown, its user and password may not. Only
//! `http://` proxies are known; the TLS to the receiver runs through them untouched.

use super::ClientError;
use base64::Engine as _;
use percent_encoding::percent_decode_str;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

/// A proxy to go through.
pub(super) struct Proxy {
    /// As connected to; an IPv6 address stands without its brackets.
    pub(super) host: String,
    /// The port, 80 where none is written.
    pub(super) port: u16,
    /// User and password.
    pub(super) login: Option<(String, SecretString)>,
    /// `http://host:port`, safe to show.
    pub(super) shown: String,
}

impl Proxy {
    /// Reads a proxy's URL. The error never repeats it.
    pub(super) fn parse(text: &SecretString) -> Result<Self, ClientError> {
        let refuse = |why: &str| ClientError::Proxy(why.to_owned());
        let url =
            Url::parse(text.expose_secret().trim()).map_err(|error| refuse(&format!("it is not a URL: {error}")))?;
        if url.scheme() != "http" {
            return Err(refuse("its scheme is not http"));
        }
        if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
            return Err(refuse("something follows the port"));
        }
        let shown_host = url.host_str().filter(|host| !host.is_empty()).ok_or_else(|| refuse("it has no host"))?;
        let port = url.port().unwrap_or(80);
        let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let password = url.password().map(decoded);
        let login = (!url.username().is_empty() || password.is_some())
            .then(|| (decoded(url.username()), SecretString::from(password.unwrap_or_default())));
        Ok(Self {
            host: shown_host.trim_start_matches('[').trim_end_matches(']').to_owned(),
            port,
            login,
            shown: format!("http://{shown_host}:{port}"),
        })
    }

    /// The same for the HTTP client, which gets the login apart from the URL, since it prints the URL when it traces.
    pub(super) fn for_client(&self) -> Result<reqwest::Proxy, ClientError> {
        let proxy = reqwest::Proxy::all(&self.shown).map_err(|_| ClientError::Proxy("it is not a URL".to_owned()))?;
        Ok(match &self.login {
            Some((user, password)) => proxy.basic_auth(user, password.expose_secret()),
            None => proxy,
        })
    }

    /// The value of `Proxy-Authorization`.
    pub(super) fn authorization(&self) -> Option<SecretString> {
        let (user, password) = self.login.as_ref()?;
        let pair = format!("{user}:{}", password.expose_secret());
        let encoded = base64::engine::general_purpose::STANDARD.encode(pair);
        Some(SecretString::from(format!("Basic {encoded}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Proxy, ClientError> {
        Proxy::parse(&SecretString::from(text.to_owned()))
    }

    #[test]
    fn the_login_is_taken_off_the_address_that_is_shown() {
        let proxy = parse("http://taro:p%40ss@proxy.acme.jp:3128/").unwrap();
        assert_eq!(proxy.shown, "http://proxy.acme.jp:3128");
        let (user, password) = proxy.login.as_ref().unwrap();
        assert_eq!((user.as_str(), password.expose_secret()), ("taro", "p@ss"));
        assert_eq!(proxy.authorization().unwrap().expose_secret(), "Basic dGFybzpwQHNz");
        let six = parse("http://[::1]:8080").unwrap();
        assert_eq!((six.host.as_str(), six.shown.as_str()), ("::1", "http://[::1]:8080"));
    }

    #[test]
    fn a_refused_proxy_is_not_repeated_in_the_error() {
        for text in ["https://u:topsecret@p:1", "topsecret", "http://u:topsecret@p/x", "socks5://topsecret:1"] {
            let error = parse(text).err().unwrap().to_string();
            assert!(error.contains("route.proxy") && !error.contains("topsecret"), "{error}");
        }
    }
}
