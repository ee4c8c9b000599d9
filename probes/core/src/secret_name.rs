//! Names that speak of a secret: what stands under them is masked, whoever wrote it.

/// Parts of a name that speak of a secret wherever they stand.
const STEMS: [&str; 11] = [
    "token",
    "password",
    "passwd",
    "passphrase",
    "secret",
    "session",
    "credential",
    "cookie",
    "signature",
    "bearer",
    "authorization",
];

/// Words of a name that speak of a secret when they stand alone (`api_key`, not `monkey`).
const WORDS: [&str; 16] = [
    "key",
    "keys",
    "apikey",
    "auth",
    "authentication",
    "pass",
    "pwd",
    "pin",
    "otp",
    "totp",
    "sid",
    "jwt",
    "csrf",
    "xsrf",
    "nonce",
    "hmac",
];

/// Whether a name speaks of a secret: that of a key, a header, a field, a parameter.
pub fn is_secret_name(name: &str) -> bool {
    let lower = name.to_lowercase();
    STEMS.iter().any(|stem| lower.contains(stem)) || words(name).iter().any(|word| WORDS.contains(&word.as_str()))
}

/// The words of a name, by its case and its marks: `xApi-key` is `x`, `api`, `key`.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut small = false;
    for letter in name.chars() {
        if !letter.is_alphanumeric() || (small && letter.is_uppercase()) {
            words.push(String::new());
        }
        small = letter.is_lowercase();
        if let Some(word) = words.last_mut().filter(|_| letter.is_alphanumeric()) {
            word.extend(letter.to_lowercase());
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_speaks_of_a_secret_is_heard() {
        for name in [
            "token",
            "accessToken",
            "refresh-token",
            "API_KEY",
            "apiKey",
            "userPassword",
            "JSESSIONID",
            "sid",
            "auth",
            "x-auth-token",
            "x-session",
            "Authorization",
        ] {
            assert!(is_secret_name(name), "{name}");
        }
        for name in ["id", "monkey", "author", "x-author", "keyboard", "status_code", "encode", "pinned", ""] {
            assert!(!is_secret_name(name), "{name}");
        }
    }
}
