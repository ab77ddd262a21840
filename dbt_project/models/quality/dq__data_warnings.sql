{# What came in, was used, and may not mean what it was taken for. #}
{%- set guest_words = [
    "0",
    "-1",
    "anonymous",
    "anonym",
    "cash",
    "gast",
    "guest",
    "guest customer",
    "invitado",
    "invité",
    "laufkunde",
    "n/a",
    "none",
    "null",
    "ospite",
    "unknown",
    "walk-in",
    "walk in",
    "散客",
    "匿名",
    "游客",
] -%}
with
    of_orders as (select * from {{ ref("int_orders__warnings") }}),

    answers as (
        select
            *,
            case
                when is_off_scale
                then 'answer off the scale'
                when role is null
                then 'question not explained'
                when is_unreadable
                then 'answer not understood'
            end as warning,
            -- words may name people, and a long number may be a telephone's: both stay
            -- behind
            case
                when not is_off_scale
                then ''
                when abs(given_score) >= 10000
                then ': a number of five digits or more'
                when given_score = floor(given_score)
                then
                    ': ' || cast(cast(given_score as bigint) as {{ dbt.type_string() }})
                else ': ' || cast(given_score as {{ dbt.type_string() }})
            end as code
        from {{ ref("fct_survey_answers") }}
    ),

    codes as (
        select
            warning,
            source,
            survey_id,
            question_code,
            code,
            count(*) as row_count,
            row_number() over (
                partition by warning, source, survey_id, question_code
                order by count(*) desc, code
            ) as place
        from answers
        where warning is not null
        group by warning, source, survey_id, question_code, code
    ),

    named as (
        select
            *,
            survey_id
            || ', '
            || question_code
            || case when place <= 5 then code else ': other codes' end as detail
        from codes
    ),

    of_answers as (
        select
            warning,
            'survey_answers' as feed,
            source,
            detail,
            cast(sum(row_count) as bigint) as row_count,
            case
                warning
                when 'answer off the scale'
                then
                    'not counted as answers; name a code for no answer in missing_codes of survey_questions, or correct scale_min and scale_max'
                when 'question not explained'
                then
                    'not counted as answers; give the question a role in survey_questions'
                else
                    'not counted as answers; give the words a score in survey_answer_labels, or the question the role comment'
            end as remedy
        from named
        group by warning, source, detail
    ),

    -- an arrow of the feed survey_paths from or to a construct without any question
    without_questions as (
        select
            'construct without a question' as warning,
            'survey_paths' as feed,
            paths.source,
            paths.survey_id || ', ' || paths.construct as detail,
            count(*) as row_count,
            'the path model of the survey is not fitted; name the construct in survey_questions, or correct it in survey_paths'
            as remedy
        from
            (
                {% for side in ["cause", "effect"] %}
                    select source, survey_id, lower(trim({{ side }})) as construct
                    from {{ ref("stg_survey_paths__paths") }}
                    {% if not loop.last %}
                        union all
                    {% endif %}
                {% endfor %}
            ) as paths
        left join
            {{ ref("dim_survey_questions") }} as questions
            on paths.source = questions.source
            and paths.survey_id = questions.survey_id
            and paths.construct = questions.construct
        where questions.question_key is null
        group by paths.source, paths.survey_id, paths.construct
    ),

    without_peers as (
        select
            'all customers are peers' as warning,
            'customers' as feed,
            source,
            '{{ var("wallet_peer_column") }}' as detail,
            count(distinct customer_key) as row_count,
            'wallets were inferred from all customers; deliver the attribute, or name another one in the var wallet_peer_column'
            as remedy
        from {{ ref("fct_wallet_spend") }}
        where peer_level = 'all customers'
        group by source
    ),

    without_margins as (
        select
            'no unit costs' as warning,
            'products' as feed,
            customers.source,
            customers.currency_code as detail,
            count(*) as row_count,
            'the margins of most customers are unknown, so customers are ranked by net revenue; deliver unit_cost in products, or cost_amount in order_lines'
            as remedy
        from {{ ref("dim_customers") }} as customers
        inner join
            {{ ref("dim_value_basis") }} as value_basis
            on customers.currency_code = value_basis.currency_code
        where
            customers.base = 'customer'
            and customers.order_count > 0
            and value_basis.value_basis = 'net_revenue'
        group by customers.source, customers.currency_code
    ),

    -- the open gaps are longer still, so half of the returns take longer than this
    usual_gaps as (
        select
            source,
            count(*) as gap_count,
            {{ percentile("order_gap_days", 0.5) }} as median_days
        from {{ ref("fct_order_gaps") }}
        where is_closed
        group by source
    ),

    lapsed_too_soon as (
        select
            'churn_days under the usual gap' as warning,
            'orders' as feed,
            source,
            'churn_days {{ var("churn_days") }}, median ' || cast(
                cast(floor(median_days) as bigint) as {{ dbt.type_string() }}
            ) as detail,
            gap_count as row_count,
            'most customers lapse and come back; set the var churn_days from retention__order_gap_curve'
            as remedy
        from usual_gaps
        where
            median_days > {{ var("churn_days") }} and gap_count >= {{ var("min_base") }}
    ),

    usual_customers as (
        select
            source,
            sum(order_count) as order_count,
            {{ percentile("order_count", 0.5) }} as median_count
        from {{ ref("dim_customers") }}
        where base = 'customer' and order_count > 0
        group by source
    ),

    -- a till or a shop may write one number for all who did not log in
    like_guests as (
        select
            'customer like a guest' as warning,
            'orders' as feed,
            customers.source,
            customers.customer_id as detail,
            cast(customers.order_count as bigint) as row_count,
            'counted as one customer; if it stands for guests, map it to nothing: `customer_id: {from: ..., map: {"0": ""}}`'
            as remedy
        from {{ ref("dim_customers") }} as customers
        inner join usual_customers on customers.source = usual_customers.source
        where
            customers.base = 'customer'
            and customers.order_count > 0
            and (
                lower(customers.customer_id) in ('{{ guest_words | join("', '") }}')
                or (
                    customers.order_count >= 20 * usual_customers.median_count
                    and customers.order_count >= 0.05 * usual_customers.order_count
                    and customers.order_count >= {{ var("min_base") }}
                )
            )
    ),

    warned as (
        {% for warning in [
            "of_orders",
            "lapsed_too_soon",
            "without_peers",
            "without_margins",
            "like_guests",
            "without_questions",
            "of_answers",
        ] %}
            select warning, feed, source, detail, row_count, remedy
            from {{ warning }}
            {% if not loop.last %}
                union all
            {% endif %}
        {% endfor %}
    ),

    final as (
        select
            {{ made_key(["warning", "feed", "source", "detail"]) }} as warning_key,
            warning,
            feed,
            source,
            detail,
            row_count,
            remedy,
            -- a notice asks for nothing; the alert does not repeat it
            case
                when
                    warning in (
                        'lines include tax',
                        'all customers are peers',
                        'no unit costs',
                        'no rate of exchange'
                    )
                then 'notice'
                else 'warning'
            end as severity
        from warned
    )

select *
from final
