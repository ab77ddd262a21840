with
    -- of a wave without a single send it is not known who was asked
    base as (
        select
            *,
            max(case when is_sent then 1 else 0 end) over (
                partition by source, survey_id, wave
            )
            = 1 as has_sends
        from {{ ref("int_satisfaction__wave_participation") }}
    ),

    -- all who could have been asked, in the wave and currency
    eligible as (
        select
            source,
            survey_id,
            wave,
            currency_code,
            count(*) as base_count,
            sum(spend_amount) as base_spend_amount
        from base
        group by source, survey_id, wave, currency_code
    ),

    shown as (
        select 'all' as shown_mode, base.*
        from base
        union all
        select mode as shown_mode, base.*
        from base
        where mode is not null
    ),

    summed as (
        select
            source,
            survey_id,
            wave,
            currency_code,
            shown_mode as mode,
            {{ count_among("case when has_sends then 1 end", "is_sent") }}
            as sent_count,
            sum(
                case when is_sent then spend_amount when has_sends then 0 end
            ) as sent_spend_amount,
            {{ count_where("has_answered") }} as respondent_count,
            coalesce(
                sum(case when has_answered then spend_amount end), 0
            ) as respondent_spend_amount
        from shown
        group by source, survey_id, wave, currency_code, shown_mode
    ),

    final as (
        select
            summed.source,
            summed.survey_id,
            summed.wave,
            summed.mode,
            summed.currency_code,
            eligible.base_count,
            summed.sent_count,
            summed.respondent_count,
            summed.respondent_count < {{ var("min_base") }} as is_suppressed,
            cast(
                eligible.base_spend_amount as {{ type_amount() }}
            ) as base_spend_amount,
            cast(summed.sent_spend_amount as {{ type_amount() }}) as sent_spend_amount,
            cast(
                summed.respondent_spend_amount as {{ type_amount() }}
            ) as respondent_spend_amount,
            {% for name, other in [
                ("respondent_spend_ratio", "eligible.base"),
                ("respondent_to_sent_spend_ratio", "summed.sent"),
            ] %}
                {{
                    div(
                        suppress_small_mean(
                            "summed.respondent_spend_amount",
                            "summed.respondent_count",
                        ),
                        div(other ~ "_spend_amount", other ~ "_count"),
                    )
                }} as {{ name }},
            {% endfor %}
            {{
                suppress_small_rate(
                    "answered", "summed.respondent_count", "summed.sent_count"
                )
            }}
        from summed
        inner join eligible using (source, survey_id, wave, currency_code)
    )

select *
from final
