//! Secrets never stand in the file: it names a variable, `${NAME}`, or another file.

use secrecy::SecretString;

use super::reader::{Complained, Reader};
use super::{Located, Position};

/// The two ways to write one secret: `token: ${TOKEN}` or `token_file: /run/secrets/token`.
pub(in crate::config) struct Written {
    pub(in crate::config) field: &'static str,
    pub(in crate::config) value: Option<Located<String>>,
    pub(in crate::config) file: Option<Located<String>>,
}

impl Written {
    pub(in crate::config) fn is_absent(&self) -> bool {
        self.value.is_none() && self.file.is_none()
    }
}

impl Reader<'_> {
    /// A secret that must be there. `at` is where to point when it is not.
    pub(in crate::config) fn secret(
        &mut self,
        at: Position,
        written: Written,
    ) -> Result<SecretString, Complained> {
        let field = written.field;
        self.optional_secret(written)?.ok_or_else(|| {
            let mend = format!("add `{field}: ${{NAME}}` or `{field}_file: path`");
            self.complain(at, format!("`{field}` is missing here"), mend)
        })
    }

    /// A secret that may be left out. What is written must still resolve.
    pub(in crate::config) fn optional_secret(
        &mut self,
        written: Written,
    ) -> Result<Option<SecretString>, Complained> {
        match (written.value, written.file) {
            (Some(value), None) => self.variable(written.field, &value).map(Some),
            (None, Some(file)) => self.secret_file(&file).map(Some),
            (None, None) => Ok(None),
            (Some(_), Some(file)) => {
                let field = written.field;
                let text = format!("`{field}` and `{field}_file` both stand here");
                Err(self.complain(file.at, text, "keep one of them"))
            }
        }
    }

    /// The variable that `${NAME}` refers to. A literal is refused, whatever it is.
    pub(in crate::config) fn variable(
        &mut self,
        field: &str,
        written: &Located<String>,
    ) -> Result<SecretString, Complained> {
        let Some(name) = variable_name(written) else {
            return Err(self.complain_of_secret(
                written.at,
                format!("the value of `{field}` stands in the file itself"),
                format!("put a new one into a variable and write `{field}: ${{NAME}}`"),
            ));
        };
        let is = match (self.env)(name) {
            Some(value) if !value.trim().is_empty() => return Ok(value.trim().to_owned().into()),
            Some(_) => "empty",
            None => "not set",
        };
        let text = format!("the variable `{name}` is {is}");
        Err(self.complain(written.at, text, format!("set `{name}` before starting")))
    }

    /// The content of a file, without the line end that editors add.
    pub(in crate::config) fn secret_file(
        &mut self,
        written: &Located<String>,
    ) -> Result<SecretString, Complained> {
        let path = self.path(written);
        match std::fs::read_to_string(&path) {
            Ok(content) if !content.trim().is_empty() => Ok(content.trim().to_owned().into()),
            Ok(_) => {
                let text = format!("the file `{}` is empty", path.display());
                Err(self.complain(written.at, text, "write the secret into it"))
            }
            Err(error) => {
                let text = format!("the file `{}` cannot be read ({error})", path.display());
                Err(self.complain(written.at, text, "check its path and its permissions"))
            }
        }
    }
}

/// The name in `${NAME}`, when the whole text is that.
pub(in crate::config) fn variable_name(text: &str) -> Option<&str> {
    let name = text.strip_prefix("${")?.strip_suffix('}')?;
    let starts_well = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    (starts_well && plain).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::variable_name;

    #[test]
    fn only_a_whole_reference_is_one() {
        assert_eq!(variable_name("${SLACK_BOT_TOKEN}"), Some("SLACK_BOT_TOKEN"));
        for text in ["xoxb-1", "$TOKEN", "${}", "${1A}", "${A}${B}", "a ${B}", "${A:-b}", "${A B}"]
        {
            assert_eq!(variable_name(text), None, "{text}");
        }
    }
}
