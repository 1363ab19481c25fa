//! Draws the model. It only reads: what is drawn was decided by `update`.

use ratatui::Frame;

use super::ascii;
use super::keys::Context;
use super::model::Model;
use super::screen::{
    Overlay, bars, checklist, choice, columns, dialog, filter, form_view, goal_form_view, grid, help, log, log_filter,
    log_list, log_out, log_search, palette, places, remark, run_with, tell, ticket, welcome,
};

impl Model {
    /// Draws everything.
    pub fn view(&self, frame: &mut Frame) {
        let area = frame.area();
        if area.is_empty() || area.as_size() != self.size {
            // The terminal changed its size and the message about it is still on its way.
            return;
        }
        let buffer = frame.buffer_mut();
        match (&self.ticket, &self.grid) {
            (Some(screen), _) => ticket::draw(self, screen, buffer),
            (None, Some(grid)) => grid::draw(self, grid, buffer),
            (None, None) => self.view_board(buffer),
        }
        let area = self.over_area();
        match &self.over {
            Some(Overlay::Form(form)) => form_view::draw(self, form, area, buffer),
            Some(Overlay::RunWith(with)) => run_with::draw(self, with, area, buffer),
            Some(Overlay::Tell(told)) => tell::draw(self, told, area, buffer),
            Some(Overlay::Remark(remark)) => remark::draw(self, remark, area, buffer),
            Some(Overlay::Choice(choosing)) => choice::draw(self, choosing, area, buffer),
            Some(Overlay::Find(find)) => log_search::draw(self, find, buffer),
            Some(Overlay::LogFilter(panel)) => log_filter::draw(self, panel, area, buffer),
            Some(Overlay::Save(save)) => log_out::draw(self, save, area, buffer),
            Some(Overlay::Runs(list)) => log_list::draw(self, *list, area, buffer),
            Some(Overlay::Checklist(panel)) => checklist::draw(self, panel, area, buffer),
            Some(Overlay::Place(list)) => places::draw(self, *list, area, buffer),
            Some(Overlay::GoalForm(form)) => goal_form_view::draw(self, form, area, buffer),
            Some(Overlay::Dialog(dialog)) => dialog::draw(self, dialog, area, buffer),
            Some(Overlay::Filter(filter)) => filter::draw(self, filter, self.layout().footer, buffer),
            Some(Overlay::Palette(palette)) => palette::draw(self, palette, area, buffer),
            Some(Overlay::Help(help)) => help::draw(self, help, area, buffer),
            None => {}
        }
        if self.theme.glyphs.is_ascii() {
            ascii::restrict(buffer);
        }
    }

    fn view_board(&self, buffer: &mut ratatui::buffer::Buffer) {
        let layout = self.layout();
        bars::draw_header(self, layout.header, buffer);
        if self.board.is_empty() {
            welcome::draw(self, layout.body, buffer);
        } else {
            columns::draw(self, &layout, buffer);
            filter::draw_nothing_found(self, layout.body, buffer);
        }
        if let Some(area) = layout.log {
            log::draw(self, area, buffer);
        }
        let context = if self.log.has_focus() { Context::Log } else { Context::Board };
        bars::draw_footer(self, context, layout.footer, buffer);
    }
}
