//! Read-only feeds: a user's stored calendar for any calendar application, behind a link that can be revoked.

use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom, SystemRandom};
use secrecy::ExposeSecret;

use super::{Gateway, GatewayError, now_millis};
use crate::calendar::CalendarStore;
use crate::config::User;
use crate::digest::hexadecimal;
use crate::imip::{Purpose, Token, feed};
use crate::itip::Address;
use crate::ledger::Link;

/// How many feeds a user may have at once: one for each device, and some to spare.
pub const FEEDS_MAX: u32 = 20;

/// A calendar as it is read at a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Feed {
    /// One VCALENDAR.
    pub text: String,
    /// Changes whenever the text does; without quotes (RFC 9110 §8.8.3).
    pub etag: String,
}

/// Why there is no new feed.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    #[error(transparent)]
    Gateway(#[from] GatewayError),
    #[error("{user} has {FEEDS_MAX} feeds already; `imipd feed revoke --user {user}` revokes all of them")]
    TooMany { user: String },
    #[error("the system gives no random numbers")]
    NoChance,
}

impl Gateway {
    /// Makes a new feed of a user's calendar; the token is told once, and kept nowhere.
    pub async fn create_feed(&self, user: &User) -> Result<Token, FeedError> {
        let mut chance = [0_u8; 16];
        SystemRandom::new().fill(&mut chance).map_err(|_| FeedError::NoChance)?;
        let mut link = Link {
            digest: String::new(),
            purpose: Purpose::Feed.name().to_owned(),
            user: user.key().to_owned(),
            cal_uid: String::new(),
            attendee: String::new(),
            instance: hexadecimal(&chance),
            sequence: 0,
            created_at: now_millis(),
            expires_at: i64::MAX,
            revoked_at: 0,
        };
        let token = self.feed_token(&link);
        link.digest = token.digest();
        let mut transaction = self.ledger.begin().await.map_err(GatewayError::from)?;
        if transaction.count_links((user.key(), Purpose::Feed.name())).await.map_err(GatewayError::from)? >= FEEDS_MAX {
            return Err(FeedError::TooMany { user: user.key().to_owned() });
        }
        transaction.add_link(&link).await.map_err(GatewayError::from)?;
        transaction.commit().await.map_err(GatewayError::from)?;
        Ok(token)
    }

    /// Revokes feeds of a user: the one of a token, or all of them; how many there were.
    pub async fn revoke_feeds(&self, user: &User, token: Option<&Token>) -> Result<u64, GatewayError> {
        let mut transaction = self.ledger.begin().await?;
        let (whose, digest) = ((user.key(), Purpose::Feed.name()), token.map(Token::digest));
        let revoked = match digest {
            Some(digest) => transaction.revoke_link(whose, &digest, now_millis()).await?,
            None => transaction.revoke_links(whose, (None, None), now_millis()).await?,
        };
        transaction.commit().await?;
        Ok(revoked)
    }

    /// The calendar that a token opens; nothing when it opens none (any more).
    pub async fn feed(&self, token: &Token) -> Result<Option<Feed>, GatewayError> {
        let Some(link) = self.ledger.link(&token.digest()).await? else { return Ok(None) };
        let is_open = link.purpose == Purpose::Feed.name() && link.revoked_at == 0 && self.feed_token(&link) == *token;
        let Some(user) = self.user(&Address::in_mail(&link.user)).filter(|_| is_open) else { return Ok(None) };
        let mut connection = self.ledger.reader().await?;
        let objects = self.calendars.list(&mut connection, user.key()).await?;
        drop(connection);
        let name = user.name.as_deref().unwrap_or(user.key());
        let text = feed::merged(objects.iter().map(|object| object.content.as_str()), name, crate::PRODID);
        let etag = hexadecimal(digest(&SHA256, text.as_bytes()).as_ref().iter().take(16));
        Ok(Some(Feed { text, etag }))
    }

    fn feed_token(&self, link: &Link) -> Token {
        Token::mint(self.link_key.expose_secret(), Purpose::Feed, &[&link.user, &link.instance])
    }
}
